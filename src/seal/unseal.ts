/** Takes a seal back. */
import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { TrustedKey } from '../crypto/key.js'
import { SignedImpError } from '../errors.js'
import { checkOptions } from '../manifest/options.js'
import { copiesOf } from '../tree/copies.js'
import { containerPath } from '../tree/options.js'
import { FilesRefusedError, type FileProblem } from '../tree/refused.js'
import { verifyDirectory } from '../tree/verify.js'
import { refuseStrays, whileStill, type Folder } from '../tree/walk.js'
import { targetOfLeftover, writeFileAtomically } from '../tree/write.js'
import { applyDelta } from './delta.js'
import { hashOf, readRecord, recordName, type ChangedFile, type SealRecord } from './record.js'

/** How a seal is taken back. */
export interface UnsealOptions {
  /** Keys of which one must have signed the folder as it is. @default whoever sealed it */
  keys?: readonly TrustedKey[] | undefined
}

/** What was taken back. */
export interface UnsealReport {
  /** Files that have their bytes of before again. */
  restored: string[]
  /** Files that the seal had added. */
  removed: string[]
  /** Whether a key vouched for what was there. */
  verified: boolean
}

/**
 * Gives a sealed folder the bytes that it had before, exactly: of files that the seal changed, and no others. What was changed or
 * came since is refused, or stays. Also undoes a seal that was interrupted.
 * @throws SignedImpError `ERR_SIGNEDIMP_MISSING` (no seal), `…_OUTPUT` (no record), `…_FILES` (changed since), `…_LATE_WRITE`, and with
 *   keys what `verifyDirectory` refuses
 */
export async function unsealDirectory(
  dir: string | URL,
  options: UnsealOptions = {},
): Promise<UnsealReport> {
  checkOptions(options, { keys: ['an array of public keys', Array.isArray] })
  const root = containerPath(dir, 'dir')
  const { keys } = options
  const { record, restored, added } = await whileStill(root, (folder) => read(root, folder, keys))
  // First what vouches for the folder, and last what tells how to go on from wherever this ends.
  const manifests = [record.manifest, ...copiesOf(record.manifest)]
  for (const path of manifests) await rm(join(root, path), { force: true })
  for (const [path, bytes] of restored) await writeFileAtomically(join(root, path), bytes)
  for (const path of [...added, recordName]) await rm(join(root, path), { force: true })
  return {
    restored: [...restored.keys()],
    removed: [record.manifest, ...added, recordName],
    verified: keys !== undefined,
  }
}

interface Undo {
  record: SealRecord
  /** The bytes of before, of files that have others now. */
  restored: Map<string, Buffer>
  /** Files that the seal has added or, where it was interrupted, left in between. */
  added: string[]
}

async function read(
  dir: string,
  folder: Folder,
  keys: readonly TrustedKey[] | undefined,
): Promise<Undo> {
  refuseStrays(folder)
  if (!folder.files.has(recordName)) throw notSealed
  const record = readRecord(readFileSync(join(dir, recordName)))
  if (keys) await verifyDirectory(dir, keys, { manifest: record.manifest })
  const { restored, problems } = restoreAll(dir, folder, record)
  const there = Object.keys(record.added).filter((path) => folder.files.has(path))
  for (const path of there)
    if (hashOf(readFileSync(join(dir, path))) !== record.added[path])
      problems.push({ path, problem: 'changed' })
  problems.push(...copiesIn(folder, [...Object.keys(record.changed), ...there]))
  if (problems.length > 0) throw new FilesRefusedError(problems)
  return { record, restored, added: [...there, ...leftIn(folder, record)] }
}

/** The bytes of before of each file that has others now, and what stands in the way. */
function restoreAll(
  dir: string,
  { files }: Folder,
  { changed }: SealRecord,
): { restored: Undo['restored']; problems: FileProblem[] } {
  const restored = new Map<string, Buffer>()
  const problems: FileProblem[] = []
  for (const [path, change] of Object.entries(changed)) {
    const bytes = files.has(path) ? readFileSync(join(dir, path)) : undefined
    const before = bytes && restore(change, bytes)
    if (!before) problems.push({ path, problem: bytes ? 'changed' : 'missing' })
    else if (before !== bytes) restored.set(path, before)
  }
  return { restored, problems }
}

/** Files that a write of the seal, or of an unseal, has left where it was killed. */
function leftIn({ files }: Folder, { manifest, changed, added }: SealRecord): string[] {
  const written = new Set([recordName, manifest, ...Object.keys(changed), ...Object.keys(added)])
  return [...files.keys()].filter((path) => written.has(targetOfLeftover(path) ?? ''))
}

/** The bytes of before; those that are there, if a seal was interrupted before it came to them. */
function restore({ before, after, delta }: ChangedFile, bytes: Buffer): Buffer | undefined {
  const hash = hashOf(bytes)
  if (hash === before) return bytes
  const made = hash === after ? applyDelta(delta, bytes) : undefined
  return made && hashOf(made) === before ? made : undefined
}

/** Servers would go on sending these in the place of what they were made of. */
const copiesIn = ({ files }: Folder, paths: readonly string[]): FileProblem[] =>
  paths
    .flatMap(copiesOf)
    .filter((path) => files.has(path))
    .map((path) => ({
      path,
      problem: 'unlisted',
      reason: 'is a compressed copy of a sealed file; delete it',
    }))

const notSealed = new SignedImpError(
  'ERR_SIGNEDIMP_MISSING',
  'is not there, so that this is no sealed folder, or nobody can tell what it was before',
  { path: recordName },
)
