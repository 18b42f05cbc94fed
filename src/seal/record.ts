/** The record of a seal: what it did, so that it can be taken back. It stands in the folder, listed and signed. */
import type { Release } from '../emit/release.js'
import { rewriterVersion } from '../emit/rewrite.js'
import { hashBytes } from '../crypto/node.js'
import { SignedImpError } from '../errors.js'
import { isManifestName } from '../manifest/names.js'
import { isPath } from '../manifest/path.js'
import { applyDelta, makeDelta, type Delta } from './delta.js'
import type { SealReport } from './types.js'

/** Name of the record, at the root of the folder. */
export const recordName = 'signedimp-seal.json'

/** A file that was there before, and has other bytes now. Hashes are SHA-256, in hex. */
export interface ChangedFile {
  before: string
  after: string
  /** How the bytes before are made of those after. */
  delta: Delta
}

/** What a seal did to a folder. */
export interface SealRecord {
  /** How it was sealed, by the names of options. */
  options: Record<string, unknown>
  /** File name of the manifest. */
  manifest: string
  /** By path. */
  changed: Record<string, ChangedFile>
  /** Files that were not there before, by path, with their hashes; the manifest and this record are not among them. */
  added: Record<string, string>
  /** What was told of it. */
  report: Omit<SealReport, 'unchanged' | 'dryRun'>
}

/** The hash of a record's files. */
export const hashOf = (bytes: Uint8Array): string => hashBytes('sha256', bytes)

/** What a seal is to do to a file, in a way that was tried out. */
export function recordChange(before: Buffer, after: Buffer): ChangedFile {
  const delta = makeDelta(before, after)
  const isExact = applyDelta(delta, after)?.equals(before)
  return {
    before: hashOf(before),
    after: hashOf(after),
    delta: isExact ? delta : [before.toString('base64')],
  }
}

/** The options of a release, as far as they change what is written. */
export const toOptions = (release: Release): SealRecord['options'] => ({
  version: hashOf(Buffer.from(JSON.stringify([rewriterVersion, release.page]))).slice(0, 16),
  keys: release.keys.map(({ fingerprint }) => fingerprint),
  threshold: release.threshold,
  name: release.name,
  ...(release.build !== undefined && { build: release.build }),
  ...(release.expires !== undefined && { expires: release.expires }),
  hash: release.hash,
  base: release.base,
  inline: release.inline,
  tags: release.tags,
  pure: release.page.pure,
  ...(release.page.remember !== undefined && { remember: release.page.remember }),
  workersFirst: release.workersFirst,
  resources: release.resources,
  headers: release.headers,
  external: Object.fromEntries(release.external),
  ...(release.fallback !== undefined && { fallback: release.fallback }),
  ...(release.reportTo !== undefined && { reportTo: release.reportTo }),
  unverified: release.unverified,
})

/** The text of a record; one line a file. */
export function writeRecord({ options, manifest, changed, added, report }: SealRecord): Buffer {
  const lines = (table: object) =>
    `{${Object.entries(table)
      .map(([name, value]) => `\n    ${JSON.stringify(name)}: ${JSON.stringify(value)}`)
      .join(',')}\n  }`
  return Buffer.from(
    `{\n  "signedimp": 1,\n  "options": ${JSON.stringify(options)},\n  "manifest": ${JSON.stringify(manifest)},\n  "changed": ${lines(changed)},\n  "added": ${lines(added)},\n  "report": ${JSON.stringify(report)}\n}\n`,
  )
}

/**
 * Reads a record. Anybody may have written it, so that nothing in it is taken as it stands.
 * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT`
 */
export function readRecord(bytes: Uint8Array): SealRecord {
  try {
    const record = JSON.parse(Buffer.from(bytes).toString()) as SealRecord & { signedimp: unknown }
    if (isRecord(record)) return record
  } catch {
    // Refused as every other text that is no record.
  }
  const reason = `is no record of a seal by this version of signedimp; take the folder from where it was built`
  throw new SignedImpError('ERR_SIGNEDIMP_OUTPUT', reason, { path: recordName })
}

function isRecord({
  signedimp,
  options,
  manifest,
  changed,
  added,
}: SealRecord & { signedimp: unknown }): boolean {
  const paths = [...Object.keys(changed), ...Object.keys(added)]
  return (
    signedimp === 1 &&
    typeof options === 'object' &&
    options !== null &&
    isManifestName(manifest) &&
    manifest.endsWith('.txt') &&
    paths.every((path) => isPath(path) && path !== recordName && path !== manifest) &&
    Object.values(changed).every(isChange) &&
    Object.values(added).every(isHash)
  )
}

const isHash = (value: unknown): boolean =>
  typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)

const isChange = ({ before, after, delta }: ChangedFile): boolean =>
  isHash(before) && isHash(after) && Array.isArray(delta) && delta.every(isPart)

const isPart = (part: Delta[number]): boolean =>
  typeof part === 'string' ||
  (Array.isArray(part) && part.length === 2 && part.every((n) => Number.isSafeInteger(n) && n >= 0))
