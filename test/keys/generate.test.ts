import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createPublicKey } from 'node:crypto'
import { generateKey, isEverywhere } from '../../src/keys/generate.ts'
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

test('a key of Ed25519 that WebKitGTK does not import is told from others', () => {
  const keyOf = (hex: string) =>
    createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(hex, 'hex').toString('base64url') },
      format: 'jwk',
    })
  assert.not.ok(
    isEverywhere(keyOf('001821bf82c280d07341d8956281929760a64d7abc88331dbbb262af325f6771')),
  )
  assert.ok(isEverywhere(keyOf('4c46b41015e3845b542ba12b28045bc733bc629e6ae8543f0ec7a8d9e723e313')))
})

test('made keys of Ed25519 are those that every engine imports', async () => {
  const keys = await Promise.all(Array.from({ length: 1500 }, () => generateKey('ed25519')))
  assert.equal(
    keys.filter((key) => !isEverywhere(createPublicKey(key))),
    [],
  )
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
