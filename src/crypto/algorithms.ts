/** The one table of algorithms: nothing else in the project names one. */

/** A scheme: how a signature in a manifest was made. It stands before the signature, and must be its key's. */
export type Scheme = 'pss-sha256' | 'pss-sha384' | 'pss-sha512' | 'ed25519' | 'ecdsa-p256-sha256'

/** A row of the table, in the words of WebCrypto. */
export interface Algorithm {
  /** How the public key is imported. */
  key: RsaHashedImportParams | EcKeyImportParams | { name: 'Ed25519' }
  /** How a signature is verified. */
  verify: RsaPssParams | EcdsaParams | { name: 'Ed25519' }
  /** Signatures are DER (RFC 3279 §2.2.3) in the manifest and r || s in WebCrypto. */
  der?: true
}

const pss = (bits: number): Algorithm => ({
  key: { name: 'RSA-PSS', hash: `SHA-${bits}` },
  verify: { name: 'RSA-PSS', saltLength: bits / 8 },
})

/** RSA-PSS: RFC 8017 §8.1, MGF1 with the same hash, salt as long as the hash. Ed25519: RFC 8032. ECDSA: FIPS 186-5 §6. */
export const algorithms: Record<Scheme, Algorithm> = {
  'pss-sha256': pss(256),
  'pss-sha384': pss(384),
  'pss-sha512': pss(512),
  ed25519: { key: { name: 'Ed25519' }, verify: { name: 'Ed25519' } },
  'ecdsa-p256-sha256': {
    key: { name: 'ECDSA', namedCurve: 'P-256' },
    verify: { name: 'ECDSA', hash: 'SHA-256' },
    der: true,
  },
}

/** A hash type as a manifest spells it. */
export type HashType = 'sha256' | 'sha384' | 'sha512'

/** The hash types that are accepted; each name is also the prefix of integrity metadata. */
export const hashTypes: readonly HashType[] = ['sha256', 'sha384', 'sha512']

/** WebCrypto's name of a hash type. */
export const webCryptoHash = (type: HashType): string => `SHA-${type.slice(3)}`
