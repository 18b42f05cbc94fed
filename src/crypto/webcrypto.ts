import { webCryptoHash } from './algorithms.js'
import { fromBase64, type Bytes } from './bytes.js'
import { rawFromDer } from './der.js'
import type { TrustedKey, Verifier } from './key.js'

/** The page's side of the seam. Needs a secure context: `crypto.subtle` is missing elsewhere. */
export const webCrypto: Verifier = {
  digest: async (type, bytes) =>
    new Uint8Array(await crypto.subtle.digest(webCryptoHash(type), bytes as Bytes)),

  async verify({ algorithm, spki }: TrustedKey, signature, message) {
    if (__DER__ && algorithm.namedCurve) {
      const raw = rawFromDer(signature)
      if (!raw) return false
      signature = raw
    }
    const { subtle } = crypto
    const key = await subtle.importKey('spki', fromBase64(spki), algorithm, false, ['verify'])
    return subtle.verify(algorithm as EcdsaParams, key, signature as Bytes, message as Bytes)
  },
}
