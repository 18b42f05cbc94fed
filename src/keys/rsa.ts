import { createPublicKey, type AsymmetricKeyDetails, type KeyObject } from 'node:crypto'
import { algorithms, type Scheme } from '../crypto/algorithms.js'
import { decode, encode, identifier, integer, nothing, sequence } from './der.js'

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

/** The SubjectPublicKeyInfo that says that a key signs by `scheme` and no other way (RFC 4055 §3.1). */
export function spkiWithScheme(spki: Uint8Array, scheme: keyof typeof hashes): Buffer {
  const hash = sequence(identifier(hashes[scheme]), nothing)
  const parameters = sequence(
    encode(0xa0, hash),
    encode(0xa1, sequence(identifier('1.2.840.113549.1.1.8'), hash)),
    encode(0xa2, integer(BigInt(Number(scheme.slice(-3)) / 8))),
  )
  const algorithm = sequence(identifier('1.2.840.113549.1.1.10'), parameters)
  return sequence(algorithm, encode(0x03, Buffer.of(0), rsaPublicKey(spki)))
}

/** RSAPublicKey (RFC 8017 §A.1.1) in a SubjectPublicKeyInfo: its bit string, after the count of unused bits. */
function rsaPublicKey(spki: Uint8Array): Buffer {
  const [info] = decode(spki)
  const [, bits] = decode(info!.content)
  return bits!.content.subarray(1)
}
