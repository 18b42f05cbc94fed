import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TrustedKey } from '../crypto/key.js'
import { hashBytes, nodeCrypto } from '../crypto/node.js'
import { SignedImpError } from '../errors.js'
import { refuseSharedNames } from '../manifest/distinct.js'
import type { Manifest } from '../manifest/format.js'
import { defaultManifestName } from '../manifest/names.js'
import {
  buildRule,
  checkOptions,
  functionRule,
  manifestRule,
  type Rule,
} from '../manifest/options.js'
import { comparePaths } from '../manifest/path.js'
import {
  splitManifest,
  verifyManifest,
  type Trust,
  type VerifiedManifest,
} from '../manifest/verify.js'
import { findStaleCopies, reasonAgainstCopy } from './copies.js'
import { parseUnverified } from './describe.js'
import { hashFiles, type Progress } from './hash.js'
import { folderPath } from './options.js'
import { pageProblems, reasonAgainstPage, type DescribedFolder } from './pages.js'
import { FilesRefusedError, type FileProblem } from './refused.js'
import { summaryOf, type ManifestSummary } from './report.js'
import { isSourceMap } from '../manifest/path.js'
import {
  copiesOfManifests,
  listedFiles,
  pageManifests,
  readManifest,
  type ManifestFolder,
} from './stored.js'
import { whileStill } from './walk.js'

/** What a folder must be, beside being signed. */
export interface VerifyOptions {
  /** How many of the keys must have signed. @default 1 */
  threshold?: number | undefined
  /** The name that the manifest must carry; without it, whatever the keys ever signed is accepted. */
  name?: string | undefined
  /** The lowest build that is accepted. */
  build?: number | undefined
  /** File name of the manifest. @default 'signedimp-manifest.txt' */
  manifest?: string | undefined
  /** Called after each file that was hashed. */
  progress?: Progress | undefined
}

/** What a folder was found to be. */
export interface VerifyReport extends ManifestSummary {
  /** Fingerprints of the keys that signed, of those that were asked for. */
  signers: string[]
  /** Page manifests beside the manifest, each verified by its own signatures. */
  pageManifests: string[]
  /** Listed source maps that are not there: uploaders delete them, and no page runs them. */
  missingSourceMaps: string[]
}

const rules: Record<string, Rule> = {
  threshold: [
    'a whole number of at least 1',
    (value) => Number.isSafeInteger(value) && (value as number) >= 1,
  ],
  name: ['a text', (value) => typeof value === 'string' && value !== ''],
  build: buildRule,
  manifest: manifestRule,
  progress: functionRule,
}

/**
 * Checks that a folder holds exactly what was signed by enough of the keys: every listed file with its hash, and no other.
 * Source maps may be missing.
 * @throws FilesRefusedError with every file that is changed, missing or unlisted
 * @throws SignedImpError `…_MISSING` (no manifest), `…_LATE_WRITE`, `…_PATH`, and what `verifyManifest` refuses
 */
export async function verifyDirectory(
  dir: string | URL,
  keys: readonly TrustedKey[],
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  checkOptions(options, rules)
  const {
    manifest: manifestName = defaultManifestName,
    progress,
    threshold = 1,
    name,
    build,
  } = options
  checkKeys(keys, threshold)
  const root = folderPath(dir)
  const trust = { keys, threshold, name, build }
  return whileStill(root, async (folder) => {
    const where = { dir: root, folder, manifestName }
    return toReport(where, await verifyFolder(where, trust, { progress }), trust)
  })
}

/** A folder that is as it was signed. */
export interface VerifiedFolder {
  /** The manifest as it is stored. */
  stored: Uint8Array
  main: VerifiedManifest
  /** Page manifests by name, each verified by its own signatures. */
  pages: Map<string, Manifest>
  /**
   * Reads the text of a listed file.
   * @throws SignedImpError `ERR_SIGNEDIMP_LATE_WRITE` where it has other bytes by now
   */
  read(path: string): string
}

/**
 * Checks a folder as {@link verifyDirectory} does, and gives what was signed.
 * @param open files that may have other bytes than were signed, or not be listed yet
 */
export const readVerified = (
  dir: string,
  trust: Trust,
  manifestName: string,
  open: ReadonlySet<string>,
): Promise<VerifiedFolder> =>
  whileStill(dir, (folder) => verifyFolder({ dir, folder, manifestName }, trust, { open }))

function checkKeys(keys: readonly TrustedKey[], threshold: number): void {
  if (!Array.isArray(keys) || keys.length === 0)
    throw new TypeError('"keys" must be an array of at least one public key')
  const count = new Set(keys.map(({ fingerprint }: TrustedKey) => fingerprint)).size
  if (threshold > count)
    throw new TypeError(
      `"threshold" is ${threshold}, more than the number of different keys, ${count}`,
    )
}

async function verifyFolder(
  where: ManifestFolder,
  trust: Trust,
  { progress, open }: { progress?: Progress | undefined; open?: ReadonlySet<string> },
): Promise<VerifiedFolder> {
  const stored = await readMain(where)
  const main = await verifyManifest(stored, trust, nodeCrypto)
  const { dir, folder } = where
  const present = [...main.files.keys()].filter((path) => folder.files.has(path))
  const hashes = await hashFiles(dir, present, main.hash, progress)
  const described = { ...where, main, hashes }
  const pages = await readPages(described, trust)
  const found = [...fileProblems(described), ...pages.problems, ...(await copyProblems(where))]
  const problems = found.filter((problem) => !isOpen(problem, open))
  if (problems.length > 0) throw new FilesRefusedError(onePerPath(problems))
  refuseSharedNames(main.files.keys())
  return { stored, main, pages: pages.read, read: (path) => readListed(dir, path, main) }
}

function readListed(dir: string, path: string, { hash, files }: Manifest): string {
  const bytes = readFileSync(join(dir, path))
  if (hashBytes(hash, bytes) === files.get(path)) return bytes.toString()
  const reason = 'changed while the folder was read; wait until nothing writes there any more'
  throw new SignedImpError('ERR_SIGNEDIMP_LATE_WRITE', reason, { path })
}

/** With a reason, a file is wrong in more than its bytes. */
const isOpen = ({ path, problem, reason }: FileProblem, open?: ReadonlySet<string>): boolean =>
  open?.has(path) === true && problem !== 'missing' && reason === undefined

const toReport = (
  where: ManifestFolder,
  { stored, main }: VerifiedFolder,
  trust: Trust,
): VerifyReport => ({
  ...summaryOf(main),
  signers: signersOf(stored, trust),
  pageManifests: pageManifests(where),
  missingSourceMaps: [...main.files.keys()].filter((path) => isDeletedMap(path, where)),
})

function readMain({ dir, folder, manifestName: path }: ManifestFolder): Promise<Uint8Array> {
  const refused = folder.refused.get(path)
  if (refused) throw new SignedImpError('ERR_SIGNEDIMP_PATH', refused, { path })
  if (folder.files.has(path)) return readManifest(dir, path)
  const reason = 'is not there, so that nothing in the folder is vouched for'
  throw new SignedImpError('ERR_SIGNEDIMP_MISSING', reason, { path })
}

const isDeletedMap = (path: string, { folder }: ManifestFolder): boolean =>
  isSourceMap(path) && !folder.files.has(path) && !folder.refused.has(path)

function fileProblems(where: DescribedFolder): FileProblem[] {
  const { main, hashes, folder } = where
  const { refused } = folder
  const problem = (path: string, problem: FileProblem['problem']): FileProblem => {
    const reason = refused.get(path)
    return { path, problem, ...(reason && { reason }) }
  }
  const changed = [...main.files]
    .filter(([path, digest]) => hashes.get(path) !== digest && !isDeletedMap(path, where))
    .map(([path]) => problem(path, hashes.has(path) || refused.has(path) ? 'changed' : 'missing'))
  const unlisted = [...listedFiles(where), ...refused.keys()]
    .filter((path) => !main.files.has(path))
    .map((path) => problem(path, 'unlisted'))
  return [...changed, ...unlisted]
}

/** Each page manifest is held to the same keys and name, but not to the build: those of older builds are kept on purpose. */
async function readPages(
  where: DescribedFolder,
  trust: Trust,
): Promise<{ read: VerifiedFolder['pages']; problems: FileProblem[] }> {
  const { name } = where.main
  const read: VerifiedFolder['pages'] = new Map()
  const problems: FileProblem[] = []
  for (const path of pageManifests(where)) {
    const bytes = await readManifest(where.dir, path)
    const refusal = await refusalOf(bytes, { ...trust, name, build: undefined })
    const page = refusal ?? parseUnverified(path, bytes)
    const reason = page instanceof Error ? page.message : reasonAgainstPage(page, where)
    if (reason !== undefined) problems.push({ path, problem: 'changed', reason })
    if (page instanceof Error) continue
    problems.push(...(await pageProblems(page, where)))
    read.set(path, page.manifest)
  }
  return { read, problems }
}

/** Compressed copies of manifests are listed nowhere, and so have to hold what the manifests hold. */
async function copyProblems(where: ManifestFolder): Promise<FileProblem[]> {
  const { dir, manifestName } = where
  const copies = copiesOfManifests(where)
  const stale = await findStaleCopies(dir, [manifestName, ...pageManifests(where), ...copies])
  return stale.map((path) => ({ path, problem: 'changed', reason: reasonAgainstCopy(path) }))
}

/**
 * Why a manifest that an earlier build left is not vouched for by the keys, if so. An expired one is no fault: it was
 * kept, no page accepts it, and its signatures are right.
 */
export async function refusalOf(
  bytes: Uint8Array,
  trust: Trust,
): Promise<SignedImpError | undefined> {
  try {
    await verifyManifest(bytes, trust, nodeCrypto)
    return undefined
  } catch (error) {
    if (!(error instanceof SignedImpError)) throw error
    return error.code === 'ERR_SIGNEDIMP_EXPIRED' ? undefined : error
  }
}

/** The first problem of each path, in a manifest's order. */
function onePerPath(problems: FileProblem[]): FileProblem[] {
  const first = new Map(problems.toReversed().map((problem) => [problem.path, problem]))
  return [...first.values()].sort((a, b) => comparePaths(a.path, b.path))
}

/** Signatures of these keys are known to be right: one that is not refuses the manifest. */
function signersOf(bytes: Uint8Array, { keys }: Trust): string[] {
  const signers = new Set(splitManifest(bytes).signatures.map(({ fingerprint }) => fingerprint))
  return [...new Set(keys.map(({ fingerprint }) => fingerprint))].filter((key) => signers.has(key))
}
