import { hashBytes } from '../crypto/node.js'
import { SignedImpError } from '../errors.js'
import type { Manifest } from '../manifest/format.js'
import { pageManifestName } from '../manifest/names.js'
import { parseUnverified, type UnverifiedManifest } from './describe.js'
import { hashFiles } from './hash.js'
import { describeProblem, FilesRefusedError, type FileProblem } from './refused.js'
import { pageManifests, readManifest, type ManifestFolder } from './stored.js'

/** A folder with what its manifest says of it, and the hashes that its files really have. */
export interface DescribedFolder extends ManifestFolder {
  main: Manifest
  /** By path; of the main manifest's type. */
  hashes: Map<string, string>
}

/**
 * Reads the page manifests of a folder, to sign them.
 * @throws FilesRefusedError that names each one that a page could not load by
 */
export async function readPagesToSign(where: DescribedFolder): Promise<UnverifiedManifest[]> {
  const pages: UnverifiedManifest[] = []
  const problems: FileProblem[] = []
  for (const path of pageManifests(where)) {
    const page = tryParse(path, await readManifest(where.contents, path))
    const reason = page instanceof Error ? page.message : await reasonNotToSign(page, where)
    if (reason)
      problems.push({ path, problem: 'changed', reason: `${reason}; build again, or delete it` })
    else pages.push(page as UnverifiedManifest)
  }
  if (problems.length > 0) throw new FilesRefusedError(problems)
  return pages
}

function tryParse(path: string, bytes: Uint8Array): UnverifiedManifest | SignedImpError {
  try {
    return parseUnverified(path, bytes)
  } catch (error) {
    if (error instanceof SignedImpError) return error
    throw error
  }
}

async function reasonNotToSign(
  page: UnverifiedManifest,
  where: DescribedFolder,
): Promise<string | undefined> {
  const [problem] = await pageProblems(page, where)
  return reasonAgainstPage(page, where) ?? (problem && describeProblem(problem))
}

/**
 * Why a page manifest does not belong beside the folder's manifest, if so. A build above the folder's is refused
 * because pages of later releases would take it for newer than themselves.
 */
export function reasonAgainstPage(
  { path, signedText, manifest: page }: UnverifiedManifest,
  { manifestName, main }: Pick<DescribedFolder, 'manifestName' | 'main'>,
): string | undefined {
  if (path !== pageManifestName(manifestName, hashBytes('sha256', signedText)))
    return 'it is not named by the hash of its text'
  if (page.name !== main.name) return `it is for "${page.name}", not for "${main.name}"`
  if (page.build !== undefined && !(page.build <= (main.build ?? -1)))
    return `it is of build ${page.build}, the folder of ${main.build ?? 'none'}`
  return undefined
}

/** What a page that loads by this page manifest would refuse in this folder. */
export async function pageProblems(
  { path, manifest: page }: UnverifiedManifest,
  { contents, folder, main, hashes }: DescribedFolder,
): Promise<FileProblem[]> {
  const present = [...page.files.keys()].filter((file) => folder.files.has(file))
  const actual = page.hash === main.hash ? hashes : await hashFiles(contents, present, page.hash)
  return [...page.files]
    .filter(([file, digest]) => actual.get(file) !== digest)
    .map(([file]) => ({
      path: file,
      problem: folder.files.has(file) ? 'changed' : 'missing',
      reason: `as ${path} lists it`,
    }))
}
