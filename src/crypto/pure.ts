/** Hashes and RSA-PSS without the engine's help, for pages where it has none to give: over plain http. */
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import type { HashType } from './algorithms.js'
import { fromBase64, hex, type Bytes } from './bytes.js'
import { readSequence } from './der.js'
import type { TrustedKey, Verifier } from './key.js'
import { power } from './power.js'

const hashes = { sha256, sha384, sha512 }

/** The hash of bytes, at once. */
export const digestPurely = (type: HashType, bytes: Uint8Array): Uint8Array => hashes[type](bytes)

/** The same seam as `webCrypto`, for keys that are RSA. Nothing here is secret, so that time may tell what it likes. */
export const pureCrypto: Verifier = {
  digest: (type, bytes) => hashes[type](bytes) as Bytes,
  verify: (key, signature, message) => verifyPss(key, signature, message),
}

/** RSASSA-PSS-VERIFY (RFC 8017 §8.1.2). @returns false for keys of other kinds */
function verifyPss(
  { algorithm, spki }: TrustedKey,
  signature: Bytes | Uint8Array,
  message: Uint8Array,
) {
  const { hash, saltLength } = algorithm
  const key = readNumbers(fromBase64(spki))
  if (!hash || saltLength === undefined || !key) return false
  const [modulus, exponent] = key
  const bits = modulus.toString(2).length
  const number = toNumber(signature)
  if (signature.length !== Math.ceil(bits / 8) || number >= modulus) return false
  const encoded = toBytes(power(number, exponent, modulus), Math.ceil((bits - 1) / 8))
  const digest = hashes[hash.replace('-', '').toLowerCase() as HashType]
  return encoded !== undefined && isEncoded(encoded, bits - 1, digest(message), digest, saltLength)
}

/** Modulus and exponent of a canonical SubjectPublicKeyInfo (RFC 8017 §A.1.1), or undefined where it is of another kind. */
function readNumbers(spki: Uint8Array): [modulus: bigint, exponent: bigint] | undefined {
  const [info] = readSequence(spki, [0x30]) ?? []
  const [, bits] = readSequence(info, [0x30, 0x03]) ?? []
  const [numbers] = readSequence(bits?.subarray(1), [0x30]) ?? []
  const [modulus, exponent] = readSequence(numbers, [0x02, 0x02]) ?? []
  return modulus && exponent && [toNumber(modulus), toNumber(exponent)]
}

const toNumber = (digits: Uint8Array): bigint => BigInt(`0x0${hex(digits)}`)

/** I2OSP (RFC 8017 §4.1), or undefined where the number is too large. */
function toBytes(number: bigint, length: number): Uint8Array | undefined {
  const digits = number.toString(16).padStart(2 * length, '0')
  if (digits.length > 2 * length) return undefined
  return Uint8Array.from(digits.match(/../g)!, (byte) => Number(`0x${byte}`))
}

type Hash = (bytes: Uint8Array) => Uint8Array

/** EMSA-PSS-VERIFY (RFC 8017 §9.1.2), with MGF1 of the same hash. */
function isEncoded(
  encoded: Uint8Array,
  bits: number,
  digest: Uint8Array,
  hash: Hash,
  saltLength: number,
): boolean {
  const size = digest.length
  const end = encoded.length - size - 1
  const padding = end - saltLength - 1
  const seed = encoded.subarray(end, -1)
  // Of the keys that are accepted, none is so short that there is no room for the padding.
  if (encoded.at(-1) !== 0xbc) return false
  const spare = 8 * encoded.length - bits
  if (encoded[0]! >> (8 - spare)) return false
  const block = mask(seed, end, hash).map((byte, at) => byte ^ encoded[at]!)
  block[0]! &= 0xff >> spare
  if (block.findIndex((byte) => byte !== 0) !== padding || block[padding] !== 1) return false
  const salted = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, ...digest, ...block.subarray(padding + 1))
  return hex(hash(salted)) === hex(seed)
}

/** MGF1 (RFC 8017 §B.2.1). */
function mask(seed: Uint8Array, length: number, hash: Hash): Uint8Array {
  const bytes: number[] = []
  for (let counter = 0; bytes.length < length; counter++)
    bytes.push(...hash(Uint8Array.of(...seed, 0, 0, 0, counter)))
  return Uint8Array.from(bytes.slice(0, length))
}
