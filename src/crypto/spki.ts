/** Public keys as pages are given them (RFC 5280 §4.1): one encoding each, for with two of them one key would count as two. */
import type { Scheme } from './algorithms.js'
import { hex, type Bytes } from './bytes.js'
import { readSequence, writeValue } from './der.js'
import { isSoundPoint } from './ed25519.js'

/** What a SubjectPublicKeyInfo says. */
export interface ReadKey {
  scheme: Scheme
  /** The key's one encoding. */
  spki: Bytes
}

/**
 * Reads a SubjectPublicKeyInfo in DER, spelled the one way that DER has (X.690 §10.1).
 * @returns why the key is not accepted, where it is not
 */
export function readSpki(der: Uint8Array): ReadKey | string {
  const [info] = readSequence(der, [0x30]) ?? []
  const [algorithm, bits] = readSequence(info, [0x30, 0x03]) ?? []
  if (!algorithm || bits?.[0] !== 0) return damaged
  const key = bits.subarray(1)
  const kind = hex(algorithm)
  if (kind === ed25519) return readEd25519(der, key)
  if (kind === p256) return readPoint(der, key)
  const scheme = rsa.get(kind)
  if (scheme) return readRsa(scheme, key)
  return 'is a key of an unsupported kind: use RSA, Ed25519 or ECDSA P-256, as signedimp keygen writes them'
}

const damaged = 'holds a public key that is damaged, or not in DER'

// AlgorithmIdentifiers, without their first two bytes (RFC 8410 §3, RFC 5480 §2.1.1, RFC 4055 §1.2 and §3.1).
const ed25519 = '06032b6570'
const p256 = '06072a8648ce3d020106082a8648ce3d030107'
const rsaEncryption = '06092a864886f70d0101010500'
const rsaPss = '06092a864886f70d01010a'

/** Parameters of RSA-PSS: its hash, MGF1 with the same, a salt as long. @param hash the last part of its object identifier */
const pssParameters = (hash: number, saltLength: number): string => {
  const algorithm = `300d06096086480165030402${hex(Uint8Array.of(hash))}0500`
  const mask = `301a06092a864886f70d010108${algorithm}`
  return `3034a00f${algorithm}a11c${mask}a2030201${hex(Uint8Array.of(saltLength))}`
}

const rsa = new Map<string, Scheme>([
  [rsaEncryption, 'pss-sha256'],
  [rsaPss, 'pss-sha256'],
  [rsaPss + pssParameters(1, 32), 'pss-sha256'],
  [rsaPss + pssParameters(2, 48), 'pss-sha384'],
  [rsaPss + pssParameters(3, 64), 'pss-sha512'],
])

const readEd25519 = (der: Uint8Array, point: Uint8Array): ReadKey | string =>
  isSoundPoint(point)
    ? { scheme: 'ed25519', spki: Uint8Array.from(der) }
    : 'is an Ed25519 key of small order, or not canonical: anybody can sign for it'

/** Whether the point lies on the curve is the engine's to find. */
const readPoint = (der: Uint8Array, point: Uint8Array): ReadKey | string =>
  point.length === 65 && point[0] === 4
    ? { scheme: 'ecdsa-p256-sha256', spki: Uint8Array.from(der) }
    : 'is an ECDSA key whose point is compressed: write it uncompressed'

/** Rebuilt under rsaEncryption, whatever name and parameters it came with. */
function readRsa(scheme: Scheme, key: Uint8Array): ReadKey | string {
  const [numbers] = readSequence(key, [0x30]) ?? []
  const [modulus, exponent] = readSequence(numbers, [0x02, 0x02]) ?? []
  if (!isPositive(modulus) || !isPositive(exponent)) return damaged
  const length = toNumber(modulus).toString(2).length
  if (length < 2048) return `is an RSA key of ${length} bits: use 2048 or more`
  const e = toNumber(exponent)
  if (e < 65537n) return `is an RSA key with the exponent ${e}: use 65537`
  const algorithm = Uint8Array.from(rsaEncryption.match(/../g)!, (byte) => Number(`0x${byte}`))
  const spki = writeValue(0x30, [...writeValue(0x30, algorithm), ...writeValue(0x03, [0, ...key])])
  return { scheme, spki: Uint8Array.from(spki) }
}

const toNumber = (digits: Uint8Array): bigint => BigInt(`0x${hex(digits)}`)

/** Whether an INTEGER is positive, and as short as can be (X.690 §8.3.2). */
const isPositive = (digits: Uint8Array | undefined): digits is Uint8Array =>
  digits !== undefined && digits[0]! < 128 && (digits[0] !== 0 || digits[1]! > 127)
