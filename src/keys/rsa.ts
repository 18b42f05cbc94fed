import {
  createPrivateKey,
  createPublicKey,
  type AsymmetricKeyDetails,
  type KeyObject,
} from 'node:crypto'
import { algorithms, type Scheme } from '../crypto/algorithms.js'
import { decode, encode, identifier, integer, nothing, octets, sequence } from './der.js'

/** Why an RSA key is not accepted, or undefined: too short a modulus, or an exponent that invites forgeries. */
export function weaknessOf({ modulusLength, publicExponent }: AsymmetricKeyDetails) {
  if (!(modulusLength! >= 2048)) return `is an RSA key of ${modulusLength} bits: use 2048 or more`
  if (!(publicExponent! >= 65537n))
    return `is an RSA key with the exponent ${publicExponent}: use 65537`
  return undefined
}

/** The scheme of an RSA key: what its own parameters demand (RFC 4055 §3.1), SHA-256 where it has none. */
export function schemeOf(details: AsymmetricKeyDetails): Scheme | undefined {
  const { hashAlgorithm = 'sha256', mgf1HashAlgorithm = hashAlgorithm, saltLength = 0 } = details
  const scheme = `pss-${hashAlgorithm}` as Scheme
  const bits = Number(hashAlgorithm.slice(3))
  const known = Object.hasOwn(algorithms, scheme) && mgf1HashAlgorithm === hashAlgorithm
  return known && saltLength <= bits / 8 ? scheme : undefined
}

/** The one SubjectPublicKeyInfo of an RSA key: its numbers under rsaEncryption, whatever name and parameters it came with. */
export function canonicalSpki(key: KeyObject): Buffer {
  const pkcs1 = rsaPublicKey(key.export({ type: 'spki', format: 'der' }))
  const plain = createPublicKey({ key: pkcs1, type: 'pkcs1', format: 'der' })
  return plain.export({ type: 'spki', format: 'der' })
}

const hashes = { 'pss-sha384': '2.16.840.1.101.3.4.2.2', 'pss-sha512': '2.16.840.1.101.3.4.2.3' }

/** What says that a key signs by `scheme` and no other way (RFC 4055 §3.1). */
function algorithmOf(scheme: keyof typeof hashes): Buffer {
  const hash = sequence(identifier(hashes[scheme]), nothing)
  const parameters = sequence(
    encode(0xa0, hash),
    encode(0xa1, sequence(identifier('1.2.840.113549.1.1.8'), hash)),
    encode(0xa2, integer(BigInt(Number(scheme.slice(-3)) / 8))),
  )
  return sequence(identifier('1.2.840.113549.1.1.10'), parameters)
}

const isRestricting = (scheme: Scheme): scheme is keyof typeof hashes =>
  Object.hasOwn(hashes, scheme)

/** The SubjectPublicKeyInfo of a key that signs by `scheme`; of a key that needs no parameters to say so, as it is. */
export const spkiWithScheme = (spki: Uint8Array, scheme: Scheme): Buffer =>
  isRestricting(scheme)
    ? sequence(algorithmOf(scheme), encode(0x03, Buffer.of(0), rsaPublicKey(spki)))
    : Buffer.from(spki)

/** A key that signs by `scheme` and no other way, public or private. */
export function withScheme(key: KeyObject, scheme: Scheme): KeyObject {
  if (!isRestricting(scheme)) return key
  if (key.type === 'public') {
    const spki = spkiWithScheme(key.export({ type: 'spki', format: 'der' }), scheme)
    return createPublicKey({ key: spki, type: 'spki', format: 'der' })
  }
  const numbers = octets(rsaPrivateKey(key))
  const pkcs8 = sequence(integer(0n), algorithmOf(scheme), numbers)
  return createPrivateKey({ key: pkcs8, type: 'pkcs8', format: 'der' })
}

/** A private RSA key without parameters of its own, which many forms have no place for. */
export const plainRsa = (key: KeyObject): KeyObject =>
  key.asymmetricKeyType === 'rsa-pss'
    ? createPrivateKey({ key: rsaPrivateKey(key), type: 'pkcs1', format: 'der' })
    : key

/** RSAPublicKey (RFC 8017 §A.1.1) in a SubjectPublicKeyInfo: its bit string, after the count of unused bits. */
function rsaPublicKey(spki: Uint8Array): Buffer {
  const [info] = decode(spki)
  const [, bits] = decode(info!.content)
  return bits!.content.subarray(1)
}

/** RSAPrivateKey (RFC 8017 §A.1.2) in a PKCS#8 key. */
function rsaPrivateKey(key: KeyObject): Buffer {
  const [info] = decode(key.export({ type: 'pkcs8', format: 'der' }))
  return decode(info!.content)[2]!.content
}
