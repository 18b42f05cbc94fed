/**
 * Manifests of the signedimp of Python (0.3.1), whose verifier knows RSA-PSS with SHA-1 and hashes of SHA-1 and MD5. Weaker than
 * anything that pages accept: only tools that are asked for it read and write them.
 */
import { constants, sign, verify, type KeyObject } from 'node:crypto'
import { binaryFromBase64, fromUtf8, utf8 } from '../crypto/bytes.js'
import { numbersOf, pythonFingerprint, type RsaNumbers } from '../keys/numbers.js'
import { refuseKey, type Where } from '../keys/source.js'
import { invalid } from '../manifest/format.js'
import { comparePaths, isPath } from '../manifest/path.js'
import { refusal } from '../manifest/refusal.js'
import { findBlankLine } from '../manifest/verify.js'

/** Length of a hash in hex by its type, as manifests name it. */
const hashLengths = { sha1: 40, md5: 32 } as const
export type PythonHash = keyof typeof hashLengths

/** What a manifest of Python's says. */
export interface PythonManifest {
  hash: PythonHash
  /** Hash in lower-case hex by path. */
  files: Map<string, string>
}

/** A key that may sign for Python's verifier. */
export interface PythonKey {
  key: KeyObject
  fingerprint: string
}

/**
 * Takes a key of RSA. Python's own were of 1024 bits, which no page accepts.
 * @throws {@link SignedImpError} `ERR_SIGNEDIMP_KEY` on a weaker one, and on one that its verifier computes wrong with
 */
export function toPythonKey(key: KeyObject, where: Where): PythonKey {
  const numbers = numbersOf(key)
  const problem = problemWith(numbers)
  if (problem) throw refuseKey(where, problem)
  return { key, fingerprint: pythonFingerprint(numbers) }
}

function problemWith({ n, e }: RsaNumbers): string | undefined {
  const bits = n.toString(2).length
  if (bits < 1024) return `is an RSA key of ${bits} bits: even Python's signedimp had 1024`
  if (bits % 8 !== 0)
    return `is an RSA key of ${bits} bits, with which Python's signedimp is wrong now and then: use a multiple of 8`
  return e < 65537n ? `is an RSA key with the exponent ${e}: use 65537` : undefined
}

const scheme = 'pss-sha1:'
const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 8 }

/** A manifest as Python's verifier takes it, with one signature. */
export function writePythonManifest(
  { hash, files }: PythonManifest,
  { key, fingerprint }: PythonKey,
): Buffer {
  const sorted = [...files].sort(([a], [b]) => comparePaths(a, b))
  const text = utf8([hash, ...sorted.map(([path, digest]) => `${digest} ${path}`)].join('\n'))
  const signature = sign('sha1', text, { key, ...pss })
  const line = Buffer.concat([Buffer.from(scheme), signature]).toString('base64')
  return Buffer.concat([Buffer.from(`${fingerprint} ${line}\n\n`), text])
}

/**
 * Checks a manifest as Python's verifier does, and more strictly: it must be as {@link writePythonManifest} writes it, but for the order of
 * its files.
 * @throws {@link SignedImpError} `ERR_SIGNEDIMP_SIGNATURE`, `ERR_SIGNEDIMP_MANIFEST_INVALID`
 */
export function verifyPythonManifest(
  bytes: Uint8Array,
  keys: readonly PythonKey[],
): PythonManifest & { signers: string[] } {
  const end = findBlankLine(bytes)
  if (end < 0) throw invalid(1)
  const header = Buffer.from(bytes.subarray(0, end)).toString('latin1').split('\n').slice(0, -1)
  const text = bytes.slice(end + 1)
  const found = header.map(readLine).flatMap(({ fingerprint, signature }) => {
    const trusted = keys.find((candidate) => candidate.fingerprint === fingerprint)
    return trusted ? [{ ...trusted, signature }] : []
  })
  for (const { key, fingerprint, signature } of found)
    if (!isSigned(key, signature, text)) throw refusal('SIGNATURE', `not signed by ${fingerprint}`)
  if (found.length === 0) throw refusal('SIGNATURE', 'signed by none of the keys')
  const signers = [...new Set(found.map(({ fingerprint }) => fingerprint))]
  return { ...parseBody(text, header.length + 2), signers }
}

/** A line of a key that nobody trusts may have another scheme; its spelling must be right all the same. */
function readLine(line: string, at: number): { fingerprint: string; signature: Buffer } {
  try {
    const [, fingerprint, encoded] = /^([!-~]+) ([!-~]+)$/.exec(line)!
    return {
      fingerprint: fingerprint!,
      signature: Buffer.from(binaryFromBase64(encoded!), 'latin1'),
    }
  } catch {
    throw invalid(at + 1)
  }
}

/** Of all schemes only PSS with SHA-1: `raw`, which Python's verifier takes too, can be forged where the exponent is 3. */
function isSigned(key: KeyObject, stored: Buffer, text: Uint8Array): boolean {
  const signature = stored.subarray(scheme.length)
  const size = key.asymmetricKeyDetails!.modulusLength! / 8
  return (
    stored.subarray(0, scheme.length).equals(Buffer.from(scheme)) &&
    signature.length === size &&
    verify('sha1', text, { key, ...pss }, signature)
  )
}

function parseBody(text: Uint8Array, firstLine: number): PythonManifest {
  const [hash, ...lines] = decode(text, firstLine).split('\n')
  if (hash !== 'sha1' && hash !== 'md5') throw invalid(firstLine)
  const files = new Map<string, string>()
  for (const [at, line] of lines.entries()) {
    const [, digest, path] = /^([0-9a-f]+) (.+)$/.exec(line) ?? []
    const isGood = digest?.length === hashLengths[hash] && isPath(path!) && !files.has(path!)
    if (!isGood) throw invalid(firstLine + 1 + at)
    files.set(path!, digest!)
  }
  return { hash, files }
}

function decode(text: Uint8Array, firstLine: number): string {
  try {
    return fromUtf8(text)
  } catch {
    throw invalid(firstLine)
  }
}
