import { createPublicKey } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { algorithms } from '../../src/crypto/algorithms.ts'
import { pemBlocks } from '../../src/crypto/pem.ts'
import { pemBytes, toPem } from '../../src/keys/pem.ts'
import { loadPublicKey, publicKeyPem, toTrustedKey } from '../../src/keys/public.ts'
import { inFolder } from './folder.ts'
import { kinds, madeKey } from './made.ts'
import { mistaken, refused } from './refusals.ts'

const [rsa, ec, ed] = await Promise.all([
  madeKey('rsa-pss'),
  madeKey('ecdsa-p256'),
  madeKey('ed25519'),
])
const privatePem = String(ed.export({ type: 'pkcs8', format: 'pem' }))
const publicPem = publicKeyPem(toTrustedKey(ed))

for (const kind of kinds)
  test(`a public ${kind} key is read from PEM, a path, a URL and memory`, () =>
    inFolder(async (folder) => {
      const key = await madeKey(kind)
      const trusted = toTrustedKey(key)
      const file = join(folder, 'release #1.pub')
      await writeFile(file, publicKeyPem(trusted))
      for (const source of [
        publicKeyPem(trusted),
        file,
        pathToFileURL(file),
        createPublicKey(key),
        trusted,
      ])
        assert.equal(await loadPublicKey(source), trusted)
      assert.equal(await loadPublicKey('release #1.pub', { cwd: folder }), trusted)
    }))

test('the PEM is what node:crypto writes', () => {
  for (const key of [rsa, ec, ed])
    assert.is(
      publicKeyPem(toTrustedKey(key)),
      createPublicKey(key).export({ type: 'spki', format: 'pem' }),
    )
})

test('a private KeyObject gives its public half', async () => {
  assert.equal(await loadPublicKey(ed), toTrustedKey(ed))
})

for (const [what, text, words] of [
  [
    'a private key',
    privatePem,
    /holds a private key where a public key belongs: give its \.pub file/,
  ],
  [
    'an encrypted private key',
    String(ed.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })),
    'holds a private key',
  ],
  [
    'a private key of PKCS#1',
    String(rsa.export({ type: 'pkcs1', format: 'pem' })),
    'holds a private key',
  ],
  ['a public key before a private one', publicPem + privatePem, 'holds a private key'],
  [
    'two public keys, of which one would be overlooked',
    publicPem + publicKeyPem(toTrustedKey(ec)),
    'must hold one PUBLIC KEY in PEM, but holds: PUBLIC KEY, PUBLIC KEY',
  ],
  [
    'a public key of PKCS#1',
    String(createPublicKey(rsa).export({ type: 'pkcs1', format: 'pem' })),
    'but holds: RSA PUBLIC KEY',
  ],
  [
    'a damaged certificate',
    toPem('CERTIFICATE', Buffer.alloc(50)),
    'a certificate that is damaged',
  ],
  [
    'two certificates, of which one would be overlooked',
    toPem('CERTIFICATE', Buffer.alloc(50)).repeat(2),
    'must hold one PUBLIC KEY in PEM, but holds: CERTIFICATE, CERTIFICATE',
  ],
  [
    'a key and a certificate',
    publicPem + toPem('CERTIFICATE', Buffer.alloc(50)),
    'but holds: PUBLIC KEY, CERTIFICATE',
  ],
  ['nothing', 'release', 'no public key in PEM'],
  ['a key whose end is lost', publicPem.slice(0, 60), 'damaged'],
  [
    'a key that lacks its last byte',
    toPem('PUBLIC KEY', pemBytes(pemBlocks(publicPem)[0]!).subarray(0, -1)),
    'damaged',
  ],
  ['an empty key', toPem('PUBLIC KEY', Buffer.alloc(0)), 'damaged'],
  ['a private key that says it is public', privatePem.replaceAll('PRIVATE', 'PUBLIC'), 'damaged'],
] as const)
  test(`a public key’s file with ${what} is refused as what it is`, () =>
    inFolder(async (folder) => {
      await writeFile(join(folder, 'k'), text)
      const load = () => loadPublicKey('k', { cwd: folder })
      await refused('ERR_SIGNEDIMP_KEY', load, words, text)
      await refused('ERR_SIGNEDIMP_KEY', load, /^ERR_SIGNEDIMP_KEY k: /)
    }))

test('a public key’s file that is not there is named', () =>
  inFolder((folder) =>
    refused(
      'ERR_SIGNEDIMP_KEY',
      () => loadPublicKey('no.pub', { cwd: folder }),
      `no.pub: cannot be read from ${folder} (ENOENT)`,
    ),
  ))

for (const value of [
  undefined,
  null,
  '',
  0,
  true,
  [],
  {},
  { spki: 'x' },
  Buffer.from(publicPem),
  () => publicPem,
])
  test(`a public key that is ${typeof value} ${JSON.stringify(value)?.slice(0, 20)} is a mistake, and not a wish to trust everybody`, () =>
    mistaken(
      () => loadPublicKey(value as never, { option: 'trust' }),
      '"trust" must be a public key',
    ))

test('a public key at a URL that is no file is a mistake: who serves the code must not serve the key', () =>
  mistaken(
    () => loadPublicKey(new URL('https://example.com/release.pub')),
    '"publicKey" must be a file: URL, not https:',
  ))

// A key that was made by hand: what it says of itself must be true.
const trusted = toTrustedKey(rsa)
const respelled = Buffer.concat([
  Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex'),
  Buffer.of(2 + (Buffer.from(ec.export({ format: 'jwk' }).y!, 'base64url').at(-1)! & 1)),
  Buffer.from(ec.export({ format: 'jwk' }).x!, 'base64url'),
]).toString('base64')
for (const [what, key] of [
  ['another fingerprint, to count as another key', { ...trusted, fingerprint: '0'.repeat(64) }],
  ['a fingerprint in upper case', { ...trusted, fingerprint: trusted.fingerprint.toUpperCase() }],
  ['the fingerprint of another', { ...trusted, fingerprint: toTrustedKey(ec).fingerprint }],
  ['the scheme of another kind', { ...trusted, scheme: 'ed25519' }],
  ['a scheme that is none', { ...trusted, scheme: 'raw' }],
  ['a scheme named like a part of Object.prototype', { ...trusted, scheme: 'constructor' }],
  ['no scheme', { ...trusted, scheme: undefined }],
  ['a second encoding', { ...toTrustedKey(ec), spki: respelled }],
  [
    'base64 in another spelling',
    { ...toTrustedKey(ed), spki: `${toTrustedKey(ed).spki.slice(0, -1)}` },
  ],
  ['bytes that are no key', { ...trusted, spki: 'AAAA' }],
] as const)
  test(`a ready-made key with ${what} is refused`, () =>
    refused('ERR_SIGNEDIMP_KEY', () => loadPublicKey(key as never), '"publicKey"'))

test('a ready-made key takes its algorithm from the table, not from itself', async () => {
  const lax = { ...trusted, algorithm: { ...trusted.algorithm, saltLength: 0 } }
  assert.equal(await loadPublicKey(lax), trusted)
})

test('a ready-made RSA key may have each of the PSS schemes', async () => {
  for (const scheme of ['pss-sha256', 'pss-sha384', 'pss-sha512'] as const) {
    const key = { ...trusted, scheme, algorithm: algorithms[scheme] }
    assert.equal(await loadPublicKey(key), key)
  }
})

test.run()
