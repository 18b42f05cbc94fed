import { binaryFromBase64, decodeText, fromBinary, type Bytes } from '../crypto/bytes.js'
import type { SyncVerifier, TrustedKey, Verifier } from '../crypto/key.js'
import { invalid, parseManifest, type Manifest } from './format.js'
import { refusal } from './refusal.js'

declare const verified: unique symbol

/** A manifest whose signatures, name, build and expiry were checked. Only {@link verifyManifest} makes one. */
export type VerifiedManifest = Manifest & { readonly [verified]: true }

/** Whom to trust, and for what. */
export interface Trust {
  keys: readonly TrustedKey[]
  /** How many of `keys` must have signed. */
  threshold: number
  /** The name that the manifest must carry; undefined accepts any (tools that only look). */
  name?: string | undefined
  /** The lowest build that is accepted; a manifest without a build is then refused. */
  build?: number | undefined
  /** Most lines of the signed text. */
  maxLines?: number
}

/** A signature as a manifest stores it. */
export interface StoredSignature {
  fingerprint: string
  scheme: string
  signature: Bytes
}

/** A stored manifest in its two parts. */
export interface StoredManifest {
  signatures: StoredSignature[]
  /** What the signatures cover: the stored bytes after the first blank line. */
  signedText: Bytes
}

/**
 * Checks a stored manifest: signed by enough of the trusted keys → well-formed → the expected app, recent enough, not expired.
 * @throws SignedImpError `…_MANIFEST_INVALID`, `…_SIGNATURE`, `…_NAME`, `…_ROLLBACK`, `…_EXPIRED`
 */
export async function verifyManifest(
  bytes: Uint8Array,
  trust: Trust,
  verifier: Verifier,
): Promise<VerifiedManifest> {
  const { signatures, signedText } = splitManifest(bytes)
  await checkSignatures(signatures, signedText, trust, verifier)
  return readRelease(signatures, signedText, trust)
}

/** {@link verifyManifest} for whom nothing may run before it: it is over when it returns. */
export function verifyManifestNow(
  bytes: Uint8Array,
  trust: Trust,
  verifier: SyncVerifier,
): VerifiedManifest {
  const { signatures, signedText } = splitManifest(bytes)
  checkSignaturesNow(signatures, signedText, trust, verifier)
  return readRelease(signatures, signedText, trust)
}

function readRelease(
  signatures: StoredSignature[],
  signedText: Bytes,
  trust: Trust,
): VerifiedManifest {
  const manifest = parseManifest(signedText, signatures.length + 2, trust.maxLines)
  checkRelease(manifest, trust)
  return manifest as VerifiedManifest
}

/**
 * Splits a stored manifest at its first blank line.
 * @throws SignedImpError `ERR_SIGNEDIMP_MANIFEST_INVALID` on any malformed line before it, known key or not
 */
export function splitManifest(bytes: Uint8Array): StoredManifest {
  const end = findBlankLine(bytes)
  if (end < 0) throw invalid(1)
  const lines = decodeText(bytes.subarray(0, end)).split('\n')
  return {
    signatures: lines.slice(0, -1).map(readSignature),
    signedText: bytes.slice(end + 1) as Bytes,
  }
}

/** Where the line feed of the first blank line stands: the signed text is behind it. */
export const findBlankLine = (bytes: Uint8Array): number =>
  bytes.findIndex((byte, at) => byte === 10 && (bytes[at - 1] ?? 10) === 10)

function readSignature(line: string, index: number): StoredSignature {
  try {
    const [, fingerprint, encoded] = /^([0-9a-f]{64}) (.+)$/.exec(line)!
    const [, scheme, signature] = /^([a-z\d-]+):(.*)$/s.exec(binaryFromBase64(encoded!))!
    return { fingerprint: fingerprint!, scheme: scheme!, signature: fromBinary(signature!) }
  } catch {
    throw invalid(index + 1)
  }
}

/** Lines of unknown keys are ignored; a wrong one of a trusted key refuses; a key counts once however often it signed. */
async function checkSignatures(
  signatures: StoredSignature[],
  text: Bytes,
  { keys, threshold }: Trust,
  verifier: Verifier,
): Promise<void> {
  const signers = new Set<string>()
  for (const { fingerprint, scheme, signature } of signatures) {
    const key = keys.find((candidate) => candidate.fingerprint === fingerprint)
    if (!key) continue
    if (scheme !== key.scheme || !(await verifier.verify(key, signature, text)))
      throw refusal('SIGNATURE', `not signed by ${fingerprint}`)
    signers.add(fingerprint)
  }
  if (!(signers.size >= threshold))
    throw refusal('SIGNATURE', `signed by ${signers.size} of ${threshold} keys`)
}

/** {@link checkSignatures} without waiting. Not shared with it, for pages carry that one. */
function checkSignaturesNow(
  signatures: StoredSignature[],
  text: Bytes,
  { keys, threshold }: Trust,
  verifier: SyncVerifier,
): void {
  const known = new Map([...keys].reverse().map((key) => [key.fingerprint, key]))
  const ours = signatures.filter((one) => known.has(one.fingerprint))
  const wrong = ours.find((one) => {
    const key = known.get(one.fingerprint)!
    return one.scheme !== key.scheme || !verifier.verify(key, one.signature, text)
  })
  if (wrong) throw refusal('SIGNATURE', `not signed by ${wrong.fingerprint}`)
  const count = new Set(ours.map((one) => one.fingerprint)).size
  if (!(count >= threshold)) throw refusal('SIGNATURE', `signed by ${count} of ${threshold} keys`)
}

function checkRelease({ name, build, expires }: Manifest, trust: Trust): void {
  if (name !== (trust.name ?? name)) throw refusal('NAME', `for "${name}"`)
  if (trust.build !== undefined && !(build! >= trust.build))
    throw refusal('ROLLBACK', `build ${build} < ${trust.build}`)
  if (expires && !(Date.now() < Date.parse(expires))) throw refusal('EXPIRED', `expired ${expires}`)
}
