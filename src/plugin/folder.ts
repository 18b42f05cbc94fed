/** A folder that a build writes, from before its first file until it is signed. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Emitted, Release } from '../emit/release.js'
import { headersFiles } from '../emit/forms.js'
import { takenByApp } from '../emit/headers.js'
import { toManifest } from '../emit/manifest.js'
import type { Report } from '../emit/report.js'
import { writeSignedText, type Manifest } from '../manifest/format.js'
import { signManifest } from '../manifest/sign.js'
import { parseUnverified } from '../tree/describe.js'
import { refusalOf } from '../tree/check.js'
import { folderContents } from '../tree/contents.js'
import { readManifest } from '../tree/stored.js'
import { refuseStrays, walkIfThere, whileStill, type Folder } from '../tree/walk.js'
import { writeFileAtomically } from '../tree/write.js'
import { mergeImports, readFiles } from './listed.js'
import { removeManifest, removeStale } from './stale.js'

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
  unsigned: new Map([...unsigned, ...emitted.flatMap(({ digests }) => [...digests])]),
})

async function readOld(
  dir: string,
  before: Folder,
  release: Release,
): Promise<Manifest | undefined> {
  const { manifestName, keys, name } = release
  if (!before.files.has(manifestName) || !existsSync(join(dir, manifestName))) return undefined
  const bytes = await readManifest(folderContents(dir), manifestName)
  const refusal = await refusalOf(bytes, { keys, threshold: 1, name })
  return refusal ? undefined : parseUnverified(manifestName, bytes).manifest
}

/**
 * Signs the folder as it stands: this build's files, which must still be what was emitted (source maps may be gone),
 * what other plugins added, and what an earlier build left if our key vouches for it. Compressed copies must hold what
 * their files hold. The manifest is written last, by rename.
 * @throws SignedImpError `ERR_SIGNEDIMP_LATE_WRITE`, `…_FILES`, `…_NOT_COVERED`, `…_OUTPUT`, `…_PATH`
 */
async function sealFolder(
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

/** Takes back the signatures of an output that is refused. */
async function unsealFolder(folder: OutputFolder, manifestName: string): Promise<void> {
  const { dir, emitted } = folder
  folder.isSealed = false
  for (const path of [manifestName, ...emitted.flatMap(({ manifests }) => manifests)])
    await removeManifest(dir, path)
}
