import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hashBytes } from '../../src/crypto/node.ts'
import { utf8 } from '../../src/crypto/bytes.ts'
import { nodeCrypto } from '../../src/crypto/node.ts'
import { decode } from '../../src/keys/der.ts'
import { isSoundPoint } from '../../src/crypto/ed25519.ts'
import { generateKey } from '../../src/keys/generate.ts'
import { loadSigner } from '../../src/keys/private.ts'
import { loadPublicKey, publicKeyPem, toTrustedKey } from '../../src/keys/public.ts'
import { formatManifest } from '../../src/manifest/format.ts'
import { verifyManifest } from '../../src/manifest/verify.ts'
import { sample, stored } from '../manifest/sample.ts'
import { skip } from '../support/skip.ts'
import { throwsCode } from '../support/throws.ts'
import { encodePoint, p, pointsOfSmallOrder } from './curve.ts'
import { kinds, madeKey } from './made.ts'
import { noOpenssl, openssl } from './openssl.ts'
import { refused } from './refusals.ts'

const message = utf8('sha256\n# signedimp: 1')
const spkiOf = (key: KeyObject): Buffer =>
  createPublicKey(key).export({ type: 'spki', format: 'der' })
const fromSpki = (der: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' })

for (const kind of kinds)
  test(`the fingerprint of a ${kind} key is the SHA-256 of its SubjectPublicKeyInfo, of either half the same`, async () => {
    const key = await madeKey(kind)
    const trusted = toTrustedKey(key)
    assert.equal(toTrustedKey(createPublicKey(key)), trusted)
    assert.is(trusted.spki, spkiOf(key).toString('base64'))
    assert.is(trusted.fingerprint, hashBytes('sha256', spkiOf(key)))
  })

// One key, one fingerprint: else one signer would make a threshold of two.
interface Parameters {
  hashAlgorithm: string
  mgf1HashAlgorithm: string
  saltLength: number
}

/** A key pair under the name of RSA-PSS. The types of Node have a text for the salt's length, and Node a number. */
const pssPair = (parameters?: Parameters) =>
  generateKeyPairSync('rsa-pss', { modulusLength: 2048, ...(parameters as object) })

/** The same RSA numbers, private, without the name and the parameters of RSA-PSS. */
function withoutPssName(privateKey: KeyObject): KeyObject {
  const [info] = decode(privateKey.export({ type: 'pkcs8', format: 'der' }))
  const rsaPrivateKey = decode(info!.content)[2]!.content
  return createPrivateKey({ key: rsaPrivateKey, format: 'der', type: 'pkcs1' })
}

test('one RSA key under the names rsaEncryption and id-RSASSA-PSS is one key', () => {
  const { privateKey, publicKey } = pssPair()
  const plain = withoutPssName(privateKey)
  assert.is.not(spkiOf(plain).toString('hex'), spkiOf(privateKey).toString('hex'))
  assert.equal(toTrustedKey(publicKey), toTrustedKey(plain))
  assert.equal(toTrustedKey(privateKey), toTrustedKey(plain))
})

test('one RSA key with and without the parameters that every signature of ours has anyway is one key', () => {
  const parameters = { hashAlgorithm: 'sha256', mgf1HashAlgorithm: 'sha256', saltLength: 32 }
  const { privateKey } = pssPair(parameters)
  assert.equal(toTrustedKey(privateKey), toTrustedKey(withoutPssName(privateKey)))
})

const p256Prefix = Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex')

test('one P-256 key, compressed and not, is one key', async () => {
  const key = await madeKey('ecdsa-p256')
  const { x, y } = key.export({ format: 'jwk' })
  const sign = 2 + (Buffer.from(y!, 'base64url').at(-1)! & 1)
  const compressed = Buffer.concat([p256Prefix, Buffer.of(sign), Buffer.from(x!, 'base64url')])
  assert.is(fromSpki(compressed).export({ type: 'spki', format: 'der' }).length, compressed.length)
  assert.equal(toTrustedKey(fromSpki(compressed)), toTrustedKey(key))
})

if (noOpenssl) skip(test, 'the other encodings that openssl writes are one key', noOpenssl)
else {
  test('a compressed and a hybrid key of openssl are the key that they came from', async () => {
    const key = await madeKey('ecdsa-p256')
    const pem = String(key.export({ type: 'sec1', format: 'pem' }))
    for (const form of ['compressed', 'hybrid', 'uncompressed']) {
      const other = openssl(`ec -conv_form ${form} -pubout`, pem)
      assert.equal(await loadPublicKey(other), toTrustedKey(key), form)
    }
  })

  test('a P-256 key that spells its curve out is the same key, or is refused', async () => {
    const key = await madeKey('ecdsa-p256')
    const pem = openssl(
      'ec -param_enc explicit -pubout',
      String(key.export({ type: 'sec1', format: 'pem' })),
    )
    const outcome = await loadPublicKey(pem).then(
      ({ fingerprint }) => fingerprint,
      (error: { code?: string }) => String(error.code),
    )
    assert.ok([toTrustedKey(key).fingerprint, 'ERR_SIGNEDIMP_KEY'].includes(outcome))
  })
}

test('two encodings of one key do not make a threshold of two', async () => {
  const { privateKey } = pssPair()
  const signers = [
    await loadSigner(privateKey),
    await loadSigner(withoutPssName(privateKey)),
  ] as const
  const bytes = await stored(formatManifest(sample()), ...signers)
  const keys = signers.map(({ key }) => key)
  assert.equal(await verifyManifest(bytes, { keys, threshold: 1 }, nodeCrypto), sample())
  await throwsCode(
    () => verifyManifest(bytes, { keys, threshold: 2 }, nodeCrypto),
    'ERR_SIGNEDIMP_SIGNATURE',
  )
})

// The parameters of an RSA-PSS key.
for (const [hashAlgorithm, saltLength] of [
  ['sha384', 48],
  ['sha512', 64],
  ['sha512', 20],
] as const)
  test(`an RSA-PSS key that demands ${hashAlgorithm} and a salt of ${saltLength} signs so, and its .pub says so`, async () => {
    const { privateKey } = pssPair({ hashAlgorithm, mgf1HashAlgorithm: hashAlgorithm, saltLength })
    const signer = await loadSigner(privateKey)
    assert.is(signer.key.scheme, `pss-${hashAlgorithm}`)
    assert.is(signer.key.fingerprint, toTrustedKey(withoutPssName(privateKey)).fingerprint)
    const pinned = await loadPublicKey(publicKeyPem(signer.key))
    assert.equal(pinned, signer.key)
    assert.is(await nodeCrypto.verify(pinned, await signer.sign(message), message), true)
    const { asymmetricKeyDetails } = createPublicKey(publicKeyPem(signer.key))
    assert.is(asymmetricKeyDetails!.hashAlgorithm, hashAlgorithm)
    assert.is(asymmetricKeyDetails!.mgf1HashAlgorithm, hashAlgorithm)
    assert.is(asymmetricKeyDetails!.saltLength, Number(hashAlgorithm.slice(3)) / 8)
  })

for (const [what, parameters] of [
  ['SHA-1', { hashAlgorithm: 'sha1', mgf1HashAlgorithm: 'sha1', saltLength: 20 }],
  ['SHA-224', { hashAlgorithm: 'sha224', mgf1HashAlgorithm: 'sha224', saltLength: 28 }],
  [
    'another hash in MGF1',
    { hashAlgorithm: 'sha256', mgf1HashAlgorithm: 'sha512', saltLength: 32 },
  ],
  ['a longer salt', { hashAlgorithm: 'sha256', mgf1HashAlgorithm: 'sha256', saltLength: 64 }],
] as const)
  test(`an RSA-PSS key whose parameters demand ${what} is refused: it could never sign as manifests need it`, async () => {
    const { privateKey, publicKey } = pssPair(parameters)
    for (const key of [privateKey, publicKey])
      await refused(
        'ERR_SIGNEDIMP_KEY',
        () => toTrustedKey(key),
        'RSA-PSS key whose own parameters',
      )
  })

// Weak keys.
for (const [what, options, words] of [
  [
    '1024 bits, which can be factored',
    { modulusLength: 1024 },
    'is an RSA key of 1024 bits: use 2048 or more',
  ],
  ['2047 bits', { modulusLength: 2047 }, '2047 bits'],
  [
    'e = 3, which invites forgeries',
    { modulusLength: 2048, publicExponent: 3 },
    'exponent 3: use 65537',
  ],
  ['e = 65535', { modulusLength: 2048, publicExponent: 65535 }, 'exponent 65535'],
] as const)
  for (const type of ['rsa', 'rsa-pss'] as const)
    test(`${type} with ${what} is refused, as a public key and as a private one`, async () => {
      const { privateKey, publicKey } = generateKeyPairSync(type as 'rsa', options)
      for (const key of [privateKey, publicKey])
        await refused('ERR_SIGNEDIMP_KEY', () => toTrustedKey(key), words)
    })

test('RSA of 2048 bits, and with a larger exponent, is accepted', () => {
  for (const options of [
    { modulusLength: 2048 },
    { modulusLength: 2048, publicExponent: 65539 },
    { modulusLength: 2056 },
  ])
    assert.is(toTrustedKey(generateKeyPairSync('rsa', options).publicKey).scheme, 'pss-sha256')
})

for (const [what, make, words] of [
  [
    'P-384',
    () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    'unsupported kind (ec secp384r1): use RSA, Ed25519 or ECDSA P-256',
  ],
  [
    'secp256k1, whose numbers are as long',
    () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
    '(ec secp256k1)',
  ],
  [
    'a Brainpool curve',
    () => generateKeyPairSync('ec', { namedCurve: 'brainpoolP256r1' }),
    '(ec brainpoolP256r1)',
  ],
  ['Ed448', () => generateKeyPairSync('ed448'), '(ed448)'],
  ['X25519, which does not sign', () => generateKeyPairSync('x25519'), '(x25519)'],
] as const)
  test(`a key of ${what} is refused`, async () => {
    const { privateKey, publicKey } = make()
    for (const key of [privateKey, publicKey])
      await refused('ERR_SIGNEDIMP_KEY', () => toTrustedKey(key), words)
  })

test('a secret key is refused: who can check such a signature can make one', () =>
  refused(
    'ERR_SIGNEDIMP_KEY',
    () => toTrustedKey(createSecretKey(Buffer.alloc(32))),
    'is a secret key',
  ))

// Ed25519.
const edPrefix = Buffer.from('302a300506032b6570032100', 'hex')
const edKey = (point: Uint8Array): KeyObject => fromSpki(Buffer.concat([edPrefix, point]))
const small = pointsOfSmallOrder()

// Under the key with y = 1, this signature fits every message: measured, OpenSSL 3.0 takes it and 3.5.8 does not.
const forSmallOrder = Buffer.concat([encodePoint([0n, 1n]), Buffer.alloc(32)])

test('there are eight points of small order, and a signature that fits any message is refused with its key', async () => {
  assert.is(small.length, 8)
  const source = { publicKey: edKey(encodePoint([0n, 1n])), sign: () => forSmallOrder }
  await refused('ERR_SIGNEDIMP_KEY', () => loadSigner(source), 'anybody can sign for it')
})

for (const [index, [x, y]] of small.entries())
  test(`the Ed25519 point of small order ${index + 1} of 8 is refused in every encoding`, async () => {
    for (const sign of [0n, 1n])
      for (const spelled of [y, y + p].filter((candidate) => candidate < 2n ** 255n)) {
        const point = encodePoint([sign, spelled])
        assert.is(isSoundPoint(point), false)
        await refused(
          'ERR_SIGNEDIMP_KEY',
          () => toTrustedKey(edKey(point)),
          'anybody can sign for it',
        )
      }
    assert.is(isSoundPoint(encodePoint([x, y])), false)
  })

test('a point that is not canonical is refused: the same key would have a second fingerprint', async () => {
  for (let y = 0n; y < 19n; y++) {
    const point = encodePoint([0n, y + p])
    assert.is(isSoundPoint(point), false, `p + ${y}`)
    await refused('ERR_SIGNEDIMP_KEY', () => toTrustedKey(edKey(point)), 'not canonical')
  }
})

test('a point of another length is none', () => {
  for (const length of [0, 31, 33]) assert.is(isSoundPoint(new Uint8Array(length).fill(7)), false)
})

test('keys as they are generated are sound', async () => {
  for (let at = 0; at < 100; at++) toTrustedKey(await generateKey('ed25519'))
})

test.run()
