import {
  constants,
  createHash,
  createPublicKey,
  hash,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto'
import { createReadStream, readFileSync, statSync } from 'node:fs'
import type { Algorithm, HashType } from './algorithms.js'
import { fromBase64 } from './bytes.js'
import { rawFromDer } from './der.js'
import type { SyncVerifier, TrustedKey } from './key.js'

/** The tools' side of the seam: node:crypto, which knows Ed25519 where WebCrypto still warns about it. */
export const nodeCrypto: SyncVerifier = {
  digest: (type, bytes) => new Uint8Array(createHash(type).update(bytes).digest()),

  verify({ algorithm, spki }: TrustedKey, signature, message) {
    const raw = algorithm.namedCurve ? rawFromDer(signature) : signature
    const key = createPublicKey({ key: Buffer.from(fromBase64(spki)), format: 'der', type: 'spki' })
    const options = { key, ...padding(algorithm), dsaEncoding: 'ieee-p1363' as const }
    return (
      raw !== undefined && isWhole(raw, key) && verify(hashOf(algorithm), message, options, raw)
    )
  },
}

/** OpenSSL takes an RSA signature without its leading zeros too; it must be as long as the modulus (RFC 8017 §8.1.2). */
function isWhole({ length }: Uint8Array, { asymmetricKeyDetails }: KeyObject): boolean {
  const { modulusLength = length * 8 } = asymmetricKeyDetails!
  return length === Math.ceil(modulusLength / 8)
}

/** A signature of `message`, as a manifest stores it, by the private half of `key`. */
export const signWith = (
  privateKey: KeyObject,
  { algorithm }: TrustedKey,
  message: Uint8Array,
): Uint8Array => {
  const options = { key: privateKey, ...padding(algorithm), dsaEncoding: 'der' as const }
  return new Uint8Array(sign(hashOf(algorithm), message, options))
}

/** Below this many bytes a file is read at once: a stream would cost more than the hash. */
const maxWholeFile = 1 << 18

/** Hash of a file's bytes, in hex, without holding a large file in memory. */
export async function hashFile(file: string, type: HashType): Promise<string> {
  if (statSync(file).size <= maxWholeFile) return hashBytes(type, readFileSync(file))
  const sum = createHash(type)
  for await (const chunk of createReadStream(file)) sum.update(chunk as Buffer)
  return sum.digest('hex')
}

/** Hash of bytes, or of a text as UTF-8, in hex. */
export const hashBytes = (type: HashType, source: string | Uint8Array): string => hash(type, source)

/** A row's hash as node:crypto spells it; null where the algorithm brings its own. */
const hashOf = ({ hash }: Algorithm): string | null => hash?.replace('-', '') ?? null

const padding = ({ saltLength }: Algorithm) =>
  saltLength === undefined ? {} : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }
