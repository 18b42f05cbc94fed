import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { toTrustedKey } from '../../src/keys/public.ts'
import { madeKey } from './made.ts'
import { mistaken } from './refusals.ts'

test('the default is RSA of 3072 bits with e = 65537, without parameters that a browser would not read', async () => {
  const key = await generateKey()
  assert.is(key.type, 'private')
  assert.is(key.asymmetricKeyType, 'rsa')
  assert.equal(key.asymmetricKeyDetails, { modulusLength: 3072, publicExponent: 65537n })
  assert.is(toTrustedKey(key).scheme, 'pss-sha256')
})

test('the other kinds are Ed25519 and ECDSA on P-256', async () => {
  assert.is(toTrustedKey(await madeKey('ed25519')).scheme, 'ed25519')
  assert.is(toTrustedKey(await madeKey('ecdsa-p256')).scheme, 'ecdsa-p256-sha256')
})

test('no two keys are one', async () => {
  const [one, two] = await Promise.all([generateKey('ed25519'), generateKey('ed25519')])
  assert.is.not(toTrustedKey(one).fingerprint, toTrustedKey(two).fingerprint)
})

for (const wrong of ['rsa', 'RSA-PSS', '', 'constructor', null, 0])
  test(`${JSON.stringify(wrong)} is no kind of key`, () =>
    mistaken(
      () => generateKey(wrong as never),
      '"algorithm" must be one of rsa-pss, ed25519, ecdsa-p256',
    ))

test.run()
