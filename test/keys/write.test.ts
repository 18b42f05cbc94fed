import { createPublicKey, webcrypto, type KeyObject } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import forge from 'node-forge'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openPrivateKey } from '../../src/keys/open.ts'
import { loadSigner } from '../../src/keys/private.ts'
import { loadPublicKey, toTrustedKey } from '../../src/keys/public.ts'
import { formatPrivateKey, formatPublicKey, keyForms, takesPassword } from '../../src/keys/write.ts'
import { readDocument, rowsOf, sectionOf } from '../support/markdown.ts'
import { skip } from '../support/skip.ts'
import { inFolder } from './folder.ts'
import { kinds, madeKey } from './made.ts'
import { noOpenssl, openssl } from './openssl.ts'
import { mistaken, password } from './refusals.ts'

const [rsa, ec, ed] = await Promise.all([
  madeKey('rsa-pss'),
  madeKey('ecdsa-p256'),
  madeKey('ed25519'),
])
const open = { password: null }

test('docs/keys.md names what is written here, and nothing else', () => {
  const section = sectionOf(readDocument('docs/keys.md'), 'Another form, another password')
  assert.equal(
    rowsOf(section).map(([form]) => form),
    keyForms.map((form) => `\`${form}\``),
  )
})

/** The kinds of key that a form has a place for. */
const kindsOf = (form: string) =>
  kinds.filter((kind) =>
    form === 'sec1'
      ? kind === 'ecdsa-p256'
      : form === 'pkcs1' || form === 'python'
        ? kind === 'rsa-pss'
        : true,
  )

for (const form of keyForms)
  test(`what is written as ${form} is read again, both halves`, () =>
    inFolder(async (folder) => {
      const file = join(folder, 'k')
      for (const kind of kindsOf(form)) {
        const key = await madeKey(kind)
        for (const secret of takesPassword(form) ? [null, password] : [null]) {
          writeFileSync(file, await formatPrivateKey(key, form, { password: secret }))
          const signer = await loadSigner(file, { password, env: {} })
          assert.equal(signer.key, toTrustedKey(key))
        }
        if (form === 'pkcs1' || form === 'sec1') continue
        writeFileSync(file, formatPublicKey(toTrustedKey(key), form))
        assert.equal(await loadPublicKey(file), toTrustedKey(key))
      }
    }))

test('a key that signs with SHA-512 does so in every form that can say it', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'k')
    const jwk = JSON.stringify({ ...rsa.export({ format: 'jwk' }), alg: 'PS512' })
    const restricted = await openPrivateKey(jwk, { option: 'key' }, {})
    const trusted = toTrustedKey(restricted)
    assert.is(trusted.scheme, 'pss-sha512')
    for (const form of ['pem', 'der', 'jwk'] as const) {
      writeFileSync(file, await formatPrivateKey(restricted, form, open))
      assert.equal((await loadSigner(file)).key, trusted)
      writeFileSync(file, formatPublicKey(trusted, form))
      assert.equal(await loadPublicKey(file), trusted)
    }
  }))

// Other programs.
test('WebCrypto imports both halves of a JWK for its scheme', async () => {
  for (const [key, algorithm] of [
    [rsa, { name: 'RSA-PSS', hash: 'SHA-256' }],
    [ec, { name: 'ECDSA', namedCurve: 'P-256' }],
  ] as const) {
    const secret = JSON.parse(String(await formatPrivateKey(key, 'jwk', open)))
    await webcrypto.subtle.importKey('jwk', secret, algorithm, false, ['sign'])
    const half = JSON.parse(String(formatPublicKey(toTrustedKey(key), 'jwk')))
    await webcrypto.subtle.importKey('jwk', half, algorithm, false, ['verify'])
  }
})

test('node-forge reads PKCS#1', async () => {
  const pem = String(await formatPrivateKey(rsa, 'pkcs1', open))
  assert.is(forge.pki.privateKeyFromPem(pem).e.toString(), '65537')
})

const publicOf = (key: KeyObject) =>
  String(createPublicKey(key).export({ type: 'spki', format: 'pem' }))

if (noOpenssl) skip(test, 'openssl reads what is written', noOpenssl)
else
  for (const [form, derivation, command] of [
    ['pem', 'scrypt', 'pkey'],
    ['pem', 'pbkdf2', 'pkey'],
    ['der', 'scrypt', 'pkey -inform DER'],
    ['der', 'pbkdf2', 'pkey -inform DER'],
    ['pkcs1', undefined, 'rsa'],
    ['sec1', undefined, 'ec'],
  ] as const)
    test(`openssl reads what is written as ${form}, ${derivation ?? 'without a password'}`, () =>
      inFolder(async (folder) => {
        const file = join(folder, 'k')
        writeFileSync(join(folder, 'password'), password)
        for (const kind of kindsOf(form)) {
          const key = await madeKey(kind)
          const secret = derivation ? password : null
          writeFileSync(file, await formatPrivateKey(key, form, { password: secret, derivation }))
          const args = `-in ${file} -passin file:${join(folder, 'password')} -pubout`
          assert.is(openssl(`${command} ${args}`), publicOf(key))
          if (derivation !== 'pbkdf2') continue
          const structure = openssl(`asn1parse -in ${file} -inform ${form}`)
          for (const words of [':PBKDF2', ':0927C0', ':hmacWithSHA256', ':aes-256-cbc'])
            assert.match(structure, words)
        }
      }))

test('numbers are written as Python shows them', async () => {
  const text = String(await formatPrivateKey(rsa, 'python', open))
  assert.match(text, /^RSAKey\(\d{900,},65537,\d{800,}\)\n$/)
  assert.is(String(formatPublicKey(toTrustedKey(rsa), 'python')), text.replace(/,\d+\)/, ')'))
})

// Mistakes.
for (const [what, work, words] of [
  ['PKCS#1 of another kind', () => formatPrivateKey(ed, 'pkcs1', open), 'a form of RSA keys'],
  ['SEC1 of another kind', () => formatPrivateKey(rsa, 'sec1', open), 'a form of EC keys'],
  ['numbers of another kind', () => formatPrivateKey(ec, 'python', open), 'only keys of RSA'],
  ['a password for a JWK', () => formatPrivateKey(ed, 'jwk', { password }), 'cannot have'],
  ['no password and no null', () => formatPrivateKey(ed, 'pem', {} as never), 'or null'],
  ['PKCS#1 of a public key', () => formatPublicKey(toTrustedKey(rsa), 'pkcs1'), 'a public key can'],
] as const)
  test(`${what} is a mistake`, () => mistaken(async () => work(), words))

test('nothing secret is in a public key', () => {
  for (const form of ['pem', 'der', 'jwk', 'python'] as const) {
    const text = String(formatPublicKey(toTrustedKey(rsa), form))
    assert.not.match(text, /"d"|PRIVATE/)
    assert.ok(text.length < 2000)
  }
})

test.run()
