import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { HashType } from '../crypto/algorithms.js'
import { utf8 } from '../crypto/bytes.js'
import { nodeCrypto } from '../crypto/node.js'
import { acceptUncovered } from '../emit/coverage.js'
import { toManifest, type Release } from '../emit/emit.js'
import { isCode, isPage, type Uncovered } from '../emit/output.js'
import { SignedImpError } from '../errors.js'
import { formatManifest, type StaticImport } from '../manifest/format.js'
import { isManifestOf } from '../manifest/names.js'
import { signText, storeManifest } from '../manifest/sign.js'
import { verifyManifest, type VerifiedManifest } from '../manifest/verify.js'
import { hashFiles } from '../tree/hash.js'
import { readManifest } from '../tree/stored.js'
import { refuseStrays, walk, whileStill, type Folder } from '../tree/walk.js'
import { writeFileAtomically } from '../tree/write.js'

/** A folder that a build writes, from before the first file to the manifest. */
export interface OutputFolder {
  dir: string
  /** What stood there before. */
  before: Folder
  /** The manifest of the build before, where one of our keys vouches for it. */
  old: VerifiedManifest | undefined
  /** Hashes of what this build emits, by path. */
  expected: Map<string, string>
  imports: Map<string, StaticImport[]>
}

/** Looks at a folder before a build writes to it. */
export async function openFolder(dir: string, release: Release): Promise<OutputFolder> {
  const before = await walk(dir).catch(() => ({ files: new Map(), refused: new Map() }))
  const old = await readOld(dir, before, release)
  return { dir, before, old, expected: new Map(), imports: new Map() }
}

async function readOld(
  dir: string,
  before: Folder,
  release: Release,
): Promise<VerifiedManifest | undefined> {
  const { manifestName, keys, name } = release
  if (!before.files.has(manifestName)) return undefined
  const bytes = await readManifest(dir, manifestName)
  return verifyManifest(bytes, { keys, threshold: 1, name }, nodeCrypto).catch(() => undefined)
}

/**
 * Compares what is on disk with what the build emitted.
 * @throws SignedImpError `ERR_SIGNEDIMP_LATE_WRITE` with every file that was written or removed after it was hashed
 */
export async function checkFolder({ dir, expected }: OutputFolder, type: HashType): Promise<void> {
  const changed: string[] = []
  const { files } = await walk(dir)
  const found = await hashFiles(
    dir,
    [...expected.keys()].filter((path) => files.has(path)),
    type,
  )
  for (const [path, digest] of expected) if (found.get(path) !== digest) changed.push(path)
  if (changed.length > 0)
    throw new SignedImpError(
      'ERR_SIGNEDIMP_LATE_WRITE',
      `changed after it was hashed, by a plugin or a tool that writes to the output folder; let that run before the build ends, in generateBundle (${changed.length} files: ${changed.join(', ')})`,
      { path: changed[0]! },
    )
}

/**
 * Signs the folder as it stands: this build's files, what other plugins added, and what an earlier build left if our
 * key vouches for it. The manifest is written last, by rename.
 * @returns what is listed without being checked, all of it accepted
 */
export async function sealFolder(folder: OutputFolder, release: Release): Promise<Uncovered[]> {
  const { dir, expected, imports } = folder
  const { manifestName, hash } = release
  return whileStill(dir, async (now) => {
    refuseStrays(now)
    const files = await hashFiles(
      dir,
      [...now.files.keys()].filter((path) => !isManifestOf(manifestName, path)),
      hash,
    )
    const added = [...files.keys()].filter((path) => !expected.has(path))
    refuseLeftOvers(folder, now, files, added)
    const kept = folder.old?.hash === hash ? folder.old.imports : new Map<string, StaticImport[]>()
    const edges = [...kept, ...imports].filter(
      ([path, list]) => files.has(path) && list.every((to) => files.has(to.path)),
    )
    const accepted = acceptUncovered(findAddedCode(folder, added), release.unverified)
    const text = utf8(formatManifest(toManifest({ ...release, imports: new Map(edges), files })))
    return { accepted, stored: storeManifest([await signText(text, release.signer)], text) }
  }).then(async ({ accepted, stored }) => {
    await writeFileAtomically(join(dir, manifestName), stored)
    return accepted
  })
}

/** Files that stood there before this build, and that nothing of ours vouches for, may be anybody's. */
function refuseLeftOvers(
  { before, old }: OutputFolder,
  now: Folder,
  files: Map<string, string>,
  added: string[],
): void {
  const strange = added.filter(
    (path) =>
      before.files.get(path) === now.files.get(path) && old?.files.get(path) !== files.get(path),
  )
  if (strange.length > 0)
    throw new SignedImpError(
      'ERR_SIGNEDIMP_FILES',
      `stood in the output folder before this build, and no manifest of your key lists it; empty the folder (${strange.length} files: ${strange.join(', ')})`,
      { path: strange[0]! },
    )
}

/** Code that another plugin put beside the bundle. */
const findAddedCode = ({ old, before }: OutputFolder, added: string[]): Uncovered[] =>
  added
    .filter(
      (path) => (isCode(path) || isPage(path)) && !(old?.files.has(path) && before.files.has(path)),
    )
    .map((name) => ({
      name,
      reason: 'written beside the bundle by another plugin: nothing checks what it runs',
    }))

/** Takes back the signatures of an output that is refused. */
export async function unsealFolder(
  { dir }: OutputFolder,
  manifestName: string,
  page: Iterable<string>,
): Promise<void> {
  for (const path of [manifestName, ...page]) await rm(join(dir, path), { force: true })
}
