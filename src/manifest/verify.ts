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
  const wrong = trustedOf(signatures, trust).find(
    ([key, { scheme, signature }]) =>
      scheme !== key.scheme || !verifier.verify(key, signature, signedText),
  )
  if (wrong) throw notSignedBy(wrong[0])
  checkThreshold(signatures, trust)
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
  trust: Trust,
  verifier: Verifier,
): Promise<void> {
  for (const [key, { scheme, signature }] of trustedOf(signatures, trust))
    if (scheme !== key.scheme || !(await verifier.verify(key, signature, text)))
      throw notSignedBy(key)
  checkThreshold(signatures, trust)
}

type BySigner = [key: TrustedKey, signature: StoredSignature]

const trustedOf = (signatures: StoredSignature[], { keys }: Trust): BySigner[] =>
  signatures.flatMap((signature) =>
    keys
      .filter(({ fingerprint }) => fingerprint === signature.fingerprint)
      .slice(0, 1)
      .map((key): BySigner => [key, signature]),
  )

/** Of signatures none of which is wrong. */
function checkThreshold(signatures: StoredSignature[], trust: Trust): void {
  const { size } = new Set(trustedOf(signatures, trust).map(([key]) => key))
  if (!(size >= trust.threshold))
    throw refusal('SIGNATURE', `signed by ${size} of ${trust.threshold} keys`)
}

const notSignedBy = ({ fingerprint }: TrustedKey) =>
  refusal('SIGNATURE', `not signed by ${fingerprint}`)

function checkRelease({ name, build, expires }: Manifest, trust: Trust): void {
  if (name !== (trust.name ?? name)) throw refusal('NAME', `for "${name}"`)
  if (trust.build !== undefined && !(build! >= trust.build))
    throw refusal('ROLLBACK', `build ${build} < ${trust.build}`)
  if (expires && !(Date.now() < Date.parse(expires))) throw refusal('EXPIRED', `expired ${expires}`)
}
