import { constants, generateKeyPairSync, sign as nodeSign, type KeyObject } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { algorithms } from '../../src/crypto/algorithms.ts'
import { utf8 } from '../../src/crypto/bytes.ts'
import { nodeCrypto } from '../../src/crypto/node.ts'
import { loadSigner, type SignerObject } from '../../src/keys/private.ts'
import { publicKeyPem, toTrustedKey } from '../../src/keys/public.ts'
import { inFolder } from './folder.ts'
import { madeKey } from './made.ts'
import { mistaken, refused } from './refusals.ts'

const message = utf8('sha256\n# signedimp: 1')
const [rsa, ec, ed] = await Promise.all([
  madeKey('rsa-pss'),
  madeKey('ecdsa-p256'),
  madeKey('ed25519'),
])

const pss = (hash: string, saltLength: number) => (bytes: Uint8Array) =>
  nodeSign(hash, bytes, { key: rsa, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength })
const ecdsa = (dsaEncoding: 'der' | 'ieee-p1363') => (bytes: Uint8Array) =>
  nodeSign('sha256', bytes, { key: ec, dsaEncoding })
const eddsa = (bytes: Uint8Array) => nodeSign(null, bytes, ed)

/** Signs with a signer object of a key's public half, and checks what comes out. */
async function signs(key: KeyObject, sign: SignerObject['sign']): Promise<Uint8Array> {
  const signer = await loadSigner({ publicKey: publicKeyPem(toTrustedKey(key)), sign })
  assert.equal(signer.key, toTrustedKey(key))
  const signature = await signer.sign(message)
  assert.is(Object.getPrototypeOf(signature), Uint8Array.prototype)
  assert.is(await nodeCrypto.verify(signer.key, signature, message), true)
  return signature
}

test('a signer that keeps the key signs with RSA-PSS', async () => {
  await signs(rsa, pss('sha256', 32))
})

test('a signer that keeps the key signs with Ed25519, later too', async () => {
  await signs(ed, eddsa)
  await signs(ed, async (bytes) => eddsa(bytes))
})

test('a signature of ECDSA is stored as DER, whether the signer gives DER or r || s', async () => {
  for (let at = 0; at < 40; at++)
    for (const encoding of ['der', 'ieee-p1363'] as const)
      assert.is((await signs(ec, ecdsa(encoding)))[0], 0x30)
})

test('the public key of a signer may be a file, relative to cwd, or a key in memory', () =>
  inFolder(async (folder) => {
    await writeFile(join(folder, 'hsm.pub'), publicKeyPem(toTrustedKey(ed)))
    for (const publicKey of ['hsm.pub', ed, toTrustedKey(ed)])
      assert.equal(
        (await loadSigner({ publicKey, sign: eddsa }, { cwd: folder })).key,
        toTrustedKey(ed),
      )
  }))

test('a signer of another PSS scheme says so in its public key', async () => {
  const publicKey = {
    ...toTrustedKey(rsa),
    scheme: 'pss-sha512',
    algorithm: algorithms['pss-sha512'],
  } as const
  const signer = await loadSigner({ publicKey, sign: pss('sha512', 64) })
  assert.is(signer.key.scheme, 'pss-sha512')
  assert.is(await nodeCrypto.verify(signer.key, await signer.sign(message), message), true)
  await refused(
    'ERR_SIGNEDIMP_KEY',
    async () => (await loadSigner({ publicKey, sign: pss('sha256', 32) })).sign(message),
    'does not verify as pss-sha512',
  )
})

for (const [what, key, sign] of [
  ['another key', ed, (bytes) => nodeSign(null, bytes, generateKeyPairSync('ed25519').privateKey)],
  ['another message', ed, () => eddsa(utf8('other'))],
  ['another salt length', rsa, pss('sha256', 20)],
  ['another hash', rsa, pss('sha512', 64)],
  ['the padding of PKCS#1 v1.5', rsa, (bytes) => nodeSign('sha256', bytes, rsa)],
  ['a hash that was hashed again', ec, (bytes) => nodeSign('sha512', bytes, ec)],
  ['a byte more', ed, (bytes) => Buffer.concat([eddsa(bytes), Buffer.of(0)])],
  ['nothing', ed, () => new Uint8Array(0)],
  ['64 zeros', ec, () => new Uint8Array(64)],
  ['64 bytes of nonsense', ec, () => new Uint8Array(64).fill(255)],
] as [string, KeyObject, SignerObject['sign']][])
  test(`what a signer gives is refused before it is stored: ${what}`, async () => {
    const signer = await loadSigner({ publicKey: key, sign }, { option: 'hsm' })
    await refused(
      'ERR_SIGNEDIMP_KEY',
      () => signer.sign(message),
      /"hsm" made a signature that its public half does not verify/,
    )
  })

for (const [what, value, kind] of [
  ['text', eddsa(message).toString('base64'), 'string'],
  ['nothing', undefined, 'undefined'],
  ['a list of numbers', [...eddsa(message)], 'an array'],
  ['an ArrayBuffer', new Uint8Array(eddsa(message)).buffer, 'object'],
] as const)
  test(`a signer that gives ${what} is a mistake, and what it gave is not repeated`, async () => {
    const { sign } = await loadSigner({ publicKey: ed, sign: () => value as never })
    await mistaken(
      () => sign(message),
      `"key.sign()" must be a Uint8Array, not ${kind}`,
      String(value),
    )
  })

test('a signer cannot change what is signed', async () => {
  const text = message.slice()
  await signs(ed, (bytes) => {
    const signature = eddsa(bytes)
    bytes.fill(0)
    return signature
  })
  assert.equal(message, text)
  const signer = await loadSigner({ publicKey: ed, sign: (bytes) => eddsa(bytes.fill(0)) })
  await refused('ERR_SIGNEDIMP_KEY', () => signer.sign(message), 'does not verify')
})

test('what a signer throws comes through: it knows best why it cannot sign', async () => {
  const trouble = new Error('token removed')
  const signer = await loadSigner({
    publicKey: ed,
    sign: () => {
      throw trouble
    },
  })
  let caught: unknown
  await signer.sign(message).catch((error: unknown) => (caught = error))
  assert.is(caught, trouble)
})

test('a signer keeps its own this', async () => {
  class Token {
    readonly publicKey = ed
    readonly #key = ed
    sign(bytes: Uint8Array) {
      return nodeSign(null, bytes, this.#key)
    }
  }
  const signer = await loadSigner(new Token())
  assert.is(await nodeCrypto.verify(signer.key, await signer.sign(message), message), true)
})

test('a signer’s public key is as strict as others: no private file, no weak key, not nothing', async () => {
  const pem = String(ed.export({ type: 'pkcs8', format: 'pem' }))
  const load = (publicKey: unknown) => () =>
    loadSigner({ publicKey, sign: eddsa } as SignerObject, { option: 'hsm' })
  await refused(
    'ERR_SIGNEDIMP_KEY',
    load(pem),
    '"hsm.publicKey" holds a private key where a public key belongs',
    pem,
  )
  await refused(
    'ERR_SIGNEDIMP_KEY',
    load(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey),
    '1024 bits',
  )
  await mistaken(load(undefined), '"hsm.publicKey" must be a public key')
})

test.run()
