/** Whether the files of a folder or a zip file are what was signed. */
import { nodeCrypto } from '../crypto/node.js'
import { SignedImpError } from '../errors.js'
import { refuseSharedNames } from '../manifest/distinct.js'
import type { Manifest } from '../manifest/format.js'
import { comparePaths, isSourceMap } from '../manifest/path.js'
import { verifyManifest, type Trust, type VerifiedManifest } from '../manifest/verify.js'
import { findStaleCopies, reasonAgainstCopy } from './copies.js'
import { parseUnverified } from './describe.js'
import { hashFiles, type Progress } from './hash.js'
import { pageProblems, reasonAgainstPage, type DescribedFolder } from './pages.js'
import { FilesRefusedError, type FileProblem } from './refused.js'
import {
  copiesOfManifests,
  leftoversOf,
  listedFiles,
  pageManifests,
  readMain,
  readManifest,
  type ManifestFolder,
} from './stored.js'

/** Files that are as they were signed. */
export interface Verified {
  /** The manifest as it is stored. */
  stored: Uint8Array
  main: VerifiedManifest
  /** Page manifests by name, each verified by its own signatures. */
  pages: Map<string, Manifest>
}

/**
 * Checks that the files are exactly what was signed.
 * @param open files that may have other bytes than were signed, or not be listed yet
 * @throws as `verifyDirectory` does
 */
export async function verifyFiles(
  where: ManifestFolder,
  trust: Trust,
  { progress, open }: { progress?: Progress | undefined; open?: ReadonlySet<string> },
): Promise<Verified> {
  const { problems: found, ...verified } = await inspectFiles(where, trust, progress)
  const problems = found.filter((problem) => !isOpen(problem, open))
  if (problems.length > 0) throw new FilesRefusedError(onePerPath(problems))
  refuseSharedNames(verified.main.files.keys())
  return verified
}

/** Files of which some may not be as they were signed. */
export interface Inspected extends Verified {
  /** What is wrong with the files; of one, maybe several things. */
  problems: FileProblem[]
}

/**
 * Compares the files with what was signed.
 * @throws SignedImpError on a manifest that is not signed as `trust` wants it
 */
export async function inspectFiles(
  where: ManifestFolder,
  trust: Trust,
  progress?: Progress,
): Promise<Inspected> {
  const stored = await readMain(where)
  const main = await verifyManifest(stored, trust, nodeCrypto)
  const { contents, folder } = where
  const present = [...main.files.keys()].filter((path) => folder.files.has(path))
  const hashes = await hashFiles(contents, present, main.hash, progress)
  const described = { ...where, main, hashes }
  const pages = await readPages(described, trust)
  const problems = [...fileProblems(described), ...pages.problems, ...(await copyProblems(where))]
  return { stored, main, pages: pages.read, problems }
}

/** With a reason, a file is wrong in more than its bytes. */
const isOpen = ({ path, problem, reason }: FileProblem, open?: ReadonlySet<string>): boolean =>
  open?.has(path) === true && problem !== 'missing' && reason === undefined

/** Whether a listed source map is not there any more, as uploaders delete them. */
export const isDeletedMap = (path: string, { folder }: ManifestFolder): boolean =>
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
  const left = leftoversOf(where).map((path): FileProblem => ({
    path,
    problem: 'unlisted',
    reason: interrupted,
  }))
  return [...changed, ...unlisted, ...left]
}

const interrupted = 'left by a write that was interrupted: sign again, or delete it'

/** Each page manifest is held to the same keys and name, but not to the build: those of older builds are kept on purpose. */
async function readPages(
  where: DescribedFolder,
  trust: Trust,
): Promise<{ read: Verified['pages']; problems: FileProblem[] }> {
  const { name } = where.main
  const read: Verified['pages'] = new Map()
  const problems: FileProblem[] = []
  for (const path of pageManifests(where)) {
    const bytes = await readManifest(where.contents, path)
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
  const { contents, manifestName } = where
  const copies = copiesOfManifests(where)
  const stale = await findStaleCopies(contents, [manifestName, ...pageManifests(where), ...copies])
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
export function onePerPath(problems: FileProblem[]): FileProblem[] {
  const first = new Map(problems.toReversed().map((problem) => [problem.path, problem]))
  return [...first.values()].sort((a, b) => comparePaths(a.path, b.path))
}
