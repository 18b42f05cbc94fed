import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { toTrustedKey } from '../../src/keys/public.ts'
import type { StoredSignature } from '../../src/manifest/verify.ts'
import { attack, attacks } from '../support/attack.ts'
import { throwsCode } from '../support/throws.ts'
import {
  expect,
  keyAlgorithms,
  lineOf,
  knownPublisher,
  signaturesOf,
  textOf,
  verdict,
  withHeader,
} from './signed.ts'

const edits: Record<string, (signature: Uint8Array) => Uint8Array> = {
  'a byte less': (bytes) => bytes.slice(0, -1),
  'a byte more': (bytes) => Buffer.concat([bytes, Buffer.of(0)]),
  'a zero in front': (bytes) => Buffer.concat([Buffer.of(0), bytes]),
  'all zero': (bytes) => new Uint8Array(bytes.length),
  'all ones': (bytes) => new Uint8Array(bytes.length).fill(255),
  'one byte': () => Buffer.of(0),
  twice: (bytes) => Buffer.concat([bytes, bytes]),
  'one bit': (bytes) => bytes.with(-1, bytes.at(-1)! ^ 1),
}
const variants = keyAlgorithms.flatMap((name) =>
  Object.keys(edits).map((edit) => `${name}: ${edit}`),
)

attack(
  27,
  'signatures of another length or of zeros',
  { variants, quick: true },
  async (variant) => {
    const [algorithm, edit] = variant.split(': ') as [(typeof keyAlgorithms)[number], string]
    const publisher = await knownPublisher(algorithm)
    const [{ fingerprint, scheme, signature }] = (await signaturesOf(textOf(), publisher)) as [
      never,
    ]
    const line = lineOf(fingerprint, scheme, edits[edit]!(signature))
    return expect(await verdict(withHeader(line, textOf()), { keys: [publisher.key] }), 'SIGNATURE')
  },
)

attack(
  27,
  'ECDSA with other numbers, or other spellings of them',
  {
    variants: [
      'r + n',
      'r = 0',
      's = 0',
      'a long length',
      'a zero before a small r',
      'a zero before a large r',
    ],
    quick: true,
  },
  async (variant) => {
    const publisher = await knownPublisher('ecdsa-p256')
    // A large r has its first bit set, and so a zero of its own: 33 bytes.
    const isWanted = ({ signature }: StoredSignature) =>
      variant.endsWith('small r') ? signature[3]! <= 32 : signature[3] === 33
    let line: StoredSignature
    do [line] = (await signaturesOf(textOf(), publisher)) as [StoredSignature]
    while (!isWanted(line))
    const { fingerprint, scheme, signature } = line
    const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
    const size = signature[3]!
    const r = BigInt('0x' + Buffer.from(signature.subarray(4, 4 + size)).toString('hex'))
    const s = BigInt('0x' + Buffer.from(signature.subarray(6 + size)).toString('hex'))
    const forged = {
      'r + n': der(r + n, s),
      'r = 0': der(0n, s),
      's = 0': der(r, 0n),
      'a zero before a small r': withZero(signature),
      'a zero before a large r': withZero(signature),
      'a long length': Buffer.concat([Buffer.of(0x30, 0x81), der(r, s).subarray(1)]),
    }[variant]!
    const edited = lineOf(fingerprint, scheme, forged)
    return expect(
      await verdict(withHeader(edited, textOf()), { keys: [publisher.key] }),
      'SIGNATURE',
    )
  },
)

/** The same numbers with one more byte. */
const withZero = (signature: Uint8Array): Buffer =>
  Buffer.concat([
    Buffer.of(0x30, signature[1]! + 1, 2, signature[3]! + 1, 0),
    signature.subarray(4),
  ])

function der(r: bigint, s: bigint): Buffer {
  const integer = (value: bigint) => {
    let digits = value.toString(16)
    if (digits.length % 2) digits = '0' + digits
    const bytes = Buffer.from(digits, 'hex')
    const padded = bytes[0]! > 127 ? Buffer.concat([Buffer.of(0), bytes]) : bytes
    return Buffer.concat([Buffer.of(2, padded.length), padded])
  }
  const content = Buffer.concat([integer(r), integer(s)])
  return Buffer.concat([Buffer.of(0x30, content.length), content])
}

const ed25519 = (point: string): KeyObject =>
  createPublicKey({
    key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(point, 'hex')]),
    format: 'der',
    type: 'spki',
  })

// RFC 8032's curve has eight points of small order, and spellings of them that are not canonical.
const weak: Record<string, () => KeyObject> = {
  'Ed25519: the neutral point': () => ed25519('01' + '00'.repeat(31)),
  'Ed25519: the neutral point with a sign': () => ed25519('01' + '00'.repeat(30) + '80'),
  'Ed25519: order 2': () => ed25519('ec' + 'ff'.repeat(30) + '7f'),
  'Ed25519: order 4': () => ed25519('00'.repeat(32)),
  'Ed25519: order 4 with a sign': () => ed25519('00'.repeat(31) + '80'),
  'Ed25519: order 8': () =>
    ed25519('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'),
  'Ed25519: order 8, the other': () =>
    ed25519('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'),
  'Ed25519: p, not canonical': () => ed25519('ed' + 'ff'.repeat(30) + '7f'),
  'Ed25519: p + 1, not canonical': () => ed25519('ee' + 'ff'.repeat(30) + '7f'),
  'RSA: 1024 bits': () => generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey,
  'RSA: e = 3': () =>
    generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }).publicKey,
  'RSA: e = 1': () =>
    createPublicKey({
      key: { kty: 'RSA', e: 'AQ', n: Buffer.alloc(256, 255).toString('base64url') },
      format: 'jwk',
    }),
  'another curve': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey,
  secp256k1: () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey,
  DSA: () => generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }).publicKey,
  X25519: () => generateKeyPairSync('x25519').publicKey,
}

attack(
  27,
  'keys that anybody can sign for',
  { variants: Object.keys(weak), quick: true },
  async (variant) => {
    const key = weak[variant]!()
    const { code } = await throwsCode(() => toTrustedKey(key), 'ERR_SIGNEDIMP_KEY')
    return `refused ${code}`
  },
)

attacks.run()
