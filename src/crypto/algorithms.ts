/** The one table of algorithms: nothing else in the project names one. */

/** A scheme: how a signature in a manifest was made. It stands before the signature, and must be its key's. */
export type Scheme = 'pss-sha256' | 'pss-sha384' | 'pss-sha512' | 'ed25519' | 'ecdsa-p256-sha256'

/** A row of the table, in the words of WebCrypto, which takes the same object to import a key and to verify with it. */
export interface Algorithm {
  name: 'RSA-PSS' | 'Ed25519' | 'ECDSA'
  hash?: string
  saltLength?: number
  /** Of ECDSA, whose signatures are DER (RFC 3279 §2.2.3) in the manifest and r || s in WebCrypto. */
  namedCurve?: 'P-256'
}

const pss = (bits: number): Algorithm => ({
  name: 'RSA-PSS',
  hash: `SHA-${bits}`,
  saltLength: bits / 8,
})

/** RSA-PSS: RFC 8017 §8.1, MGF1 with the same hash, salt as long as the hash. Ed25519: RFC 8032. ECDSA: FIPS 186-5 §6. */
export const algorithms: Record<Scheme, Algorithm> = {
  'pss-sha256': /* @__PURE__ */ pss(256),
  'pss-sha384': /* @__PURE__ */ pss(384),
  'pss-sha512': /* @__PURE__ */ pss(512),
  ed25519: { name: 'Ed25519' },
  'ecdsa-p256-sha256': { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
}

/** A hash type as a manifest spells it. */
export type HashType = 'sha256' | 'sha384' | 'sha512'

/** The hash types that are accepted; each name is also the prefix of integrity metadata. */
export const hashTypes: readonly HashType[] = ['sha256', 'sha384', 'sha512']

/** WebCrypto's name of a hash type. */
export const webCryptoHash = (type: HashType): string => type.replace('sha', 'SHA-')
