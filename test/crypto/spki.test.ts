import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { algorithms } from '../../src/crypto/algorithms.ts'
import { base64 } from '../../src/crypto/bytes.ts'
import { readSpki } from '../../src/crypto/spki.ts'
import { integer, sequence } from '../../src/keys/der.ts'
import { toTrustedKey } from '../../src/keys/public.ts'
import { spkiWithScheme } from '../../src/keys/rsa.ts'
import { encodePoint, pointsOfSmallOrder } from '../keys/curve.ts'
import { kinds, madeKey } from '../keys/made.ts'

// What pages read with a few lines must be what the tools read with OpenSSL, or be refused.

const derOf = (key: KeyObject): Buffer =>
  (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' })

/** Scheme and encoding, as the tools have them. */
function asTools(der: Uint8Array) {
  const key = createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' })
  const { scheme, spki } = toTrustedKey(key)
  return { scheme, spki }
}

function asPages(der: Uint8Array) {
  const read = readSpki(der)
  return typeof read === 'string' ? read : { scheme: read.scheme, spki: base64(read.spki) }
}

/** Whether an engine takes a P-256 key. */
const canImport = (der: Uint8Array): Promise<boolean> =>
  crypto.subtle
    .importKey('spki', Uint8Array.from(der), algorithms['ecdsa-p256-sha256'], false, ['verify'])
    .then(
      () => true,
      () => false,
    )

for (const kind of kinds)
  test(`a ${kind} key is read as the tools read it`, async () => {
    const der = derOf(await madeKey(kind))
    assert.equal(asPages(der), asTools(der))
  })

for (const scheme of ['pss-sha384', 'pss-sha512'] as const)
  test(`an RSA key that signs by ${scheme} only has its numbers' encoding`, async () => {
    const plain = derOf(await madeKey('rsa-pss'))
    const der = spkiWithScheme(plain, scheme)
    assert.equal(asPages(der), asTools(der))
    assert.equal(asPages(der), { scheme, spki: plain.toString('base64') })
  })

for (const parameters of [
  undefined,
  ...[256, 512].map((bits) => ({
    hashAlgorithm: `sha${bits}`,
    mgf1HashAlgorithm: `sha${bits}`,
    saltLength: bits / 8,
  })),
])
  test(`a key under the name RSA-PSS with ${parameters?.hashAlgorithm ?? 'no parameters'} is one with its numbers`, () => {
    const { publicKey } = generateKeyPairSync('rsa-pss', {
      modulusLength: 2048,
      ...(parameters as object),
    })
    assert.equal(asPages(derOf(publicKey)), asTools(derOf(publicKey)))
  })

test('every cut and every changed byte of the encoding around the numbers is refused, or read as the tools do', async () => {
  for (const kind of kinds) {
    const der = derOf(await madeKey(kind))
    for (let at = 0; at < der.length; at++) {
      assert.type(asPages(der.subarray(0, at)), 'string', `${kind} cut at ${at}`)
      if (at > 40) continue
      for (const flip of [1, 2, 0x20, 0x80]) {
        const changed = Buffer.from(der)
        changed[at]! ^= flip
        const read = asPages(changed)
        if (typeof read === 'string') continue
        const isOnCurve = kind !== 'ecdsa-p256' || (await canImport(changed))
        if (isOnCurve) assert.equal(read, asTools(changed), `${kind} ${at} ${flip}`)
        else assert.throws(() => asTools(changed))
      }
    }
    assert.type(asPages(Buffer.concat([der, Buffer.of(0)])), 'string')
  }
})

test('an encoding that is longer than need be is refused', async () => {
  const der = derOf(await madeKey('ed25519'))
  const long = Buffer.concat([Buffer.of(0x30, 0x81), der.subarray(1)])
  assert.match(asPages(long) as string, 'not in DER')
})

const refused: [what: string, der: () => Uint8Array | Promise<Uint8Array>, words: RegExp][] = [
  [
    'an RSA key of 1024 bits',
    () => derOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey),
    /^is an RSA key of 1024 bits: use 2048 or more$/,
  ],
  [
    'an RSA key with the exponent 3',
    () => derOf(generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }).privateKey),
    /exponent 3: use 65537/,
  ],
  [
    'an RSA key with a negative modulus',
    async () => {
      const der = Buffer.from(derOf(await madeKey('rsa-pss')))
      const at = der.indexOf(Buffer.from('02820181', 'hex'))
      der[at + 4] = 0x80
      return der
    },
    /not in DER/,
  ],
  [
    'a P-384 key',
    () => derOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey),
    /unsupported kind/,
  ],
  ['an X25519 key', () => derOf(generateKeyPairSync('x25519').privateKey), /unsupported kind/],
  [
    'a compressed P-256 key',
    async () => {
      const { x } = (await madeKey('ecdsa-p256')).export({ format: 'jwk' })
      const head = '3039301306072a8648ce3d020106082a8648ce3d030107032200'
      return Buffer.concat([Buffer.from(`${head}02`, 'hex'), Buffer.from(x!, 'base64url')])
    },
    /compressed/,
  ],
  [
    'RSA-PSS with the salt of the original',
    () =>
      derOf(
        generateKeyPairSync('rsa-pss', {
          modulusLength: 2048,
          ...({ hashAlgorithm: 'sha256', mgf1HashAlgorithm: 'sha256', saltLength: 8 } as object),
        }).publicKey,
      ),
    /unsupported kind/,
  ],
  ['nothing', () => new Uint8Array(), /not in DER/],
  ['a number', () => sequence(integer(7n)), /not in DER/],
]

for (const [what, der, words] of refused)
  test(`${what} is refused`, async () => {
    assert.match(asPages(await der()) as string, words)
  })

test('Ed25519 points of small order are refused', () => {
  const head = Buffer.from('302a300506032b6570032100', 'hex')
  for (const point of pointsOfSmallOrder())
    assert.match(asPages(Buffer.concat([head, encodePoint(point)])) as string, 'small order')
})

test.run()
