import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { HashType } from '../crypto/algorithms.js'
import { nodeCrypto } from '../crypto/node.js'
import { acceptUncovered } from '../emit/coverage.js'
import type { Emitted, Release } from '../emit/emit.js'
import { headersFiles } from '../emit/forms.js'
import { takenByApp } from '../emit/headers.js'
import { toManifest } from '../emit/manifest.js'
import { isCode, isPage, type Uncovered } from '../emit/output.js'
import type { Report } from '../emit/report.js'
import { SignedImpError } from '../errors.js'
import { writeSignedText, type Manifest, type StaticImport } from '../manifest/format.js'
import { isManifestOf } from '../manifest/names.js'
import { signManifest } from '../manifest/sign.js'
import { verifyManifest } from '../manifest/verify.js'
import { parseUnverified } from '../tree/describe.js'
import { hashFiles } from '../tree/hash.js'
import { copiesOf, findStaleCopies, refuseStaleCopies } from '../tree/copies.js'
import { listedFiles, readManifest } from '../tree/stored.js'
import { isSourceMap } from '../manifest/path.js'
import { refusalOf } from '../tree/verify.js'
import { refuseStrays, walkIfThere, whileStill, type Folder } from '../tree/walk.js'
import { writeFileAtomically } from '../tree/write.js'
import { refuseSecrets } from './guard.js'

/** A folder that a build writes, from before the first file to the manifest. */
export interface OutputFolder {
  dir: string
  /** The number of the build that writes it. */
  build: number
  /** What stood there before. */
  before: Folder
  /** The manifest of the build before, where one of our keys vouches for it. */
  old: Manifest | undefined
  /** Digests of what earlier builds put there that were not signed in the end, as one that a watcher did not wait for. */
  unsigned: Map<string, string>
  /** Whether the manifest stands there, signed. */
  isSealed: boolean
  /** What this build's outputs are. */
  emitted: Emitted[]
  /** A report for each of them. */
  reports: Report[]
  /** How many of them were written, every plugin's write hooks included. */
  written: number
}

/**
 * Looks at a folder before a build writes to it.
 * @param last the folder as the build before knew it, if that was of the same process
 * @param before what stood there, if somebody has looked before other plugins could write
 */
export async function openFolder(
  dir: string,
  release: Release,
  build: number,
  last?: OutputFolder,
  before?: Folder,
): Promise<OutputFolder> {
  const found = last && !last.isSealed ? inherit(last) : await look(dir, release, before)
  refuseForeignHeaders(found, release)
  return { dir, build, ...found, isSealed: false, emitted: [], reports: [], written: 0 }
}

/** What somebody put there to say with which headers to serve is not written over. */
function refuseForeignHeaders({ before, old, unsigned }: Found, { headers }: Release): void {
  for (const path of headers.map((form) => headersFiles[form]))
    if (before.files.has(path) && !old?.files.has(path) && !unsigned.has(path))
      throw takenByApp(path)
}

type Found = Pick<OutputFolder, 'before' | 'old' | 'unsigned'>

async function look(dir: string, release: Release, known?: Folder): Promise<Found> {
  const before = known ?? (await walkIfThere(dir))
  return { before, old: await readOld(dir, before, release), unsigned: new Map() }
}

const inherit = ({ before, old, unsigned, emitted }: OutputFolder): Found => ({
  before,
  old,
  unsigned: merge([unsigned, ...emitted.map(({ digests }) => digests)]),
})

async function readOld(
  dir: string,
  before: Folder,
  release: Release,
): Promise<Manifest | undefined> {
  const { manifestName, keys, name } = release
  if (!before.files.has(manifestName) || !existsSync(join(dir, manifestName))) return undefined
  const bytes = await readManifest(dir, manifestName)
  const refusal = await refusalOf(bytes, { keys, threshold: 1, name })
  return refusal ? undefined : parseUnverified(manifestName, bytes).manifest
}

/**
 * Signs the folder as it stands: this build's files, which must still be what was emitted (source maps may be gone),
 * what other plugins added, and what an earlier build left if our key vouches for it. Compressed copies must hold what
 * their files hold. The manifest is written last, by rename.
 * @throws SignedImpError `ERR_SIGNEDIMP_LATE_WRITE`, `…_FILES`, `…_NOT_COVERED`, `…_OUTPUT`, `…_PATH`
 */
export async function sealFolder(
  folder: OutputFolder,
  release: Release,
  secrets: string[],
): Promise<void> {
  const { dir } = folder
  await removeStale(folder, release)
  const stored = await whileStill(dir, async (now) => {
    refuseStrays(now)
    const files = await readFiles(folder, now, release, secrets)
    const imports = mergeImports(folder, files, release.hash)
    const text = writeSignedText(toManifest(release, { imports, files }))
    return signManifest(text, release.signer)
  })
  await writeFileAtomically(join(dir, release.manifestName), stored)
  // Without a signature nobody vouches for it yet, so that the next build of a watcher must remember what is ours.
  folder.isSealed = release.signer !== undefined
}

/** Whether all that was emitted to a folder is on disk, every plugin's write hooks included. */
export const isWritten = ({ emitted, written }: OutputFolder): boolean =>
  emitted.length > 0 && written === emitted.length

/**
 * Signs a folder as {@link sealFolder} does, or takes back every signature.
 * @returns whether the folder is signed: not after a build that failed while it wrote, which has its own error
 */
export async function closeFolder(
  folder: OutputFolder,
  release: Release,
  secrets: string[],
): Promise<boolean> {
  try {
    if (isWritten(folder)) await sealFolder(folder, release, secrets)
    else await unsealFolder(folder, release.manifestName)
    return isWritten(folder)
  } catch (error) {
    await unsealFolder(folder, release.manifestName)
    throw error
  }
}

/** Hashes of the files to list, each of this build, of another plugin, or of an earlier build. */
async function readFiles(
  folder: OutputFolder,
  now: Folder,
  { manifestName, hash, unverified }: Release,
  secrets: string[],
): Promise<Map<string, string>> {
  const expected = withoutDeletedMaps(
    mergeDigests(folder.emitted.map(({ digests }) => digests)),
    now,
  )
  const listed = new Set(listedFiles({ folder: now, manifestName }))
  const wanted = [...now.files.keys()].filter((path) => listed.has(path) || expected.has(path))
  const found = await hashFiles(folder.dir, wanted, hash)
  refuseChanges(expected, found)
  await refuseStaleCopies(folder.dir, now.files.keys())
  const files = new Map([...found].filter(([path]) => listed.has(path)))
  const added = [...files.keys()].filter((path) => !expected.has(path))
  const left = findLeftOvers(folder, now, files, added)
  acceptUncovered(findAddedCode(left, added), unverified)
  for (const path of added) refuseSecrets(path, await readFile(join(folder.dir, path)), secrets)
  return files
}

const merge = <T>(maps: Map<string, T>[]): Map<string, T> =>
  new Map(maps.flatMap((map) => [...map]))

/** What all outputs of the build put into the folder; only pages may be written again by the next output. */
function mergeDigests(all: Map<string, string>[]): Map<string, string> {
  const merged = new Map<string, string>()
  for (const [path, digest] of all.flatMap((digests) => [...digests])) {
    if (!isPage(path) && (merged.get(path) ?? digest) !== digest)
      throw new SignedImpError(
        'ERR_SIGNEDIMP_OUTPUT',
        'is written by two outputs of this build, with other bytes; give each its own folder or names',
        { path },
      )
    merged.set(path, digest)
  }
  return merged
}

/** Uploaders of source maps delete them before the build ends. */
const withoutDeletedMaps = (
  expected: Map<string, string>,
  { files }: Folder,
): Map<string, string> =>
  new Map([...expected].filter(([path]) => files.has(path) || !isSourceMap(path)))

function refuseChanges(expected: Map<string, string>, files: Map<string, string>): void {
  const changed = [...expected.keys()].filter((path) => files.get(path) !== expected.get(path))
  if (changed.length > 0)
    throw new SignedImpError(
      'ERR_SIGNEDIMP_LATE_WRITE',
      `changed after it was hashed, by a plugin or a tool that writes to the output folder; let that run before the build ends, in generateBundle (${changed.join(', ')})`,
      { path: changed[0] },
    )
}

/**
 * What an earlier build left. Files that stood there before this build, and that nothing of ours vouches for, may be
 * anybody's.
 */
function findLeftOvers(
  { before, old, unsigned }: OutputFolder,
  now: Folder,
  files: Map<string, string>,
  added: string[],
): Set<string> {
  const ours = new Set(added.filter((path) => unsigned.get(path) === files.get(path)))
  const left = added.filter((path) => before.files.get(path) === now.files.get(path))
  const strange = left.filter((path) => old?.files.get(path) !== files.get(path) && !ours.has(path))
  if (strange.length > 0)
    throw new SignedImpError(
      'ERR_SIGNEDIMP_FILES',
      `stood in the output folder before this build, and no manifest of your key lists it; empty the folder (${strange.join(', ')})`,
      { path: strange[0] },
    )
  return new Set([...left, ...ours])
}

/** Code that another plugin put beside the bundle. */
const findAddedCode = (left: ReadonlySet<string>, added: string[]): Uncovered[] =>
  added
    .filter((path) => (isCode(path) || isPage(path)) && !left.has(path))
    .map((name) => ({
      name,
      reason: 'written beside the bundle by another plugin: nothing checks what it runs',
    }))

/** Static imports of this build's modules, and of those that an earlier build left, as far as they are still there. */
function mergeImports(
  { old, emitted }: OutputFolder,
  files: Map<string, string>,
  hash: HashType,
): Map<string, StaticImport[]> {
  const isOld = (path: string) => old?.hash === hash && old.files.get(path) === files.get(path)
  const kept = new Map([...(old?.imports ?? [])].filter(([path]) => isOld(path)))
  const all = merge([kept, ...emitted.map(({ imports }) => imports)])
  return new Map(
    [...all].filter(([path, list]) => files.has(path) && list.every((to) => files.has(to.path))),
  )
}

async function removeStale(folder: OutputFolder, release: Release): Promise<void> {
  const files = new Map((await walkIfThere(folder.dir)).files)
  await removeStalePages(folder, release, files)
  await removeStaleCopies(folder.dir, release, files)
}

/** Removes page manifests of earlier builds whose files are no longer what they list, or that no key of ours signed: their pages cannot start. */
async function removeStalePages(
  { dir, emitted }: OutputFolder,
  release: Release,
  files: Map<string, string>,
): Promise<void> {
  const { manifestName, keys, name } = release
  const own = new Set([manifestName, ...emitted.flatMap(({ manifests }) => manifests)])
  for (const path of files.keys()) {
    if (own.has(path) || !isManifestOf(manifestName, path)) continue
    const trust = { keys, threshold: 1, name }
    const page = await verifyManifest(await readManifest(dir, path), trust, nodeCrypto).catch(
      () => undefined,
    )
    if (page && (await isAllThere(dir, files, page))) continue
    await removeManifest(dir, path)
    for (const file of [path, ...copiesOf(path)]) files.delete(file)
  }
}

/** Removes compressed copies of manifests that they do not hold: of the manifest, which is written after them, any. */
async function removeStaleCopies(
  dir: string,
  { manifestName }: Release,
  files: ReadonlyMap<string, string>,
): Promise<void> {
  const pages = [...files.keys()].filter((path) => isManifestOf(manifestName, path))
  const copies = pages.flatMap(copiesOf).filter((path) => files.has(path))
  const stale = await findStaleCopies(dir, [...pages, ...copies])
  for (const path of [...stale, ...copiesOf(manifestName)])
    await rm(join(dir, path), { force: true })
}

async function removeManifest(dir: string, path: string): Promise<void> {
  for (const file of [path, ...copiesOf(path)]) await rm(join(dir, file), { force: true })
}

async function isAllThere(dir: string, there: Folder['files'], page: Manifest): Promise<boolean> {
  const paths = [...page.files.keys()]
  if (!paths.every((path) => there.has(path))) return false
  const found = await hashFiles(dir, paths, page.hash)
  return paths.every((path) => found.get(path) === page.files.get(path))
}

/** Takes back the signatures of an output that is refused. */
export async function unsealFolder(folder: OutputFolder, manifestName: string): Promise<void> {
  const { dir, emitted } = folder
  folder.isSealed = false
  for (const path of [manifestName, ...emitted.flatMap(({ manifests }) => manifests)])
    await removeManifest(dir, path)
}
