import type { Algorithm, HashType, Scheme } from './algorithms.js'
import type { Bytes } from './bytes.js'

/** A public key that somebody chose to trust. The algorithm is the key's, never the message's. */
export interface TrustedKey {
  /** SHA-256 of the key's canonical SubjectPublicKeyInfo, in hex: what the key is counted by. */
  fingerprint: string
  /** How this key's signatures are made. */
  scheme: Scheme
  /** The row of `scheme`; carried along, so that a page holds only the rows of its keys. */
  algorithm: Algorithm
  /** The canonical SubjectPublicKeyInfo (RFC 5280 §4.1), DER, base64. */
  spki: string
}

/** The seam between WebCrypto (pages) and node:crypto (tools): all that reading a manifest needs. */
export interface Verifier {
  /** Hash of bytes. */
  digest(type: HashType, bytes: Uint8Array): Promise<Bytes> | Bytes
  /** Whether `signature`, as a manifest stores it, is the key's over `message`. Malformed ones are false. */
  verify(key: TrustedKey, signature: Uint8Array, message: Uint8Array): Promise<boolean> | boolean
}

/** A seam that waits for nothing. */
export interface SyncVerifier extends Verifier {
  digest(type: HashType, bytes: Uint8Array): Bytes
  verify(key: TrustedKey, signature: Uint8Array, message: Uint8Array): boolean
}
