/** Which files of a folder the manifest lists when a build is over, and who answers for each. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { HashType } from '../crypto/algorithms.js'
import { acceptUncovered, bringsCode } from '../emit/coverage.js'
import type { Release } from '../emit/release.js'
import { isPage, type Uncovered } from '../emit/output.js'
import { tellFailure } from '../emit/report-only.js'
import { SignedImpError } from '../errors.js'
import type { StaticImport } from '../manifest/format.js'
import { isSourceMap } from '../manifest/path.js'
import { folderContents } from '../tree/contents.js'
import { refuseStaleCopies } from '../tree/copies.js'
import { hashFiles } from '../tree/hash.js'
import { listedFiles } from '../tree/stored.js'
import type { Folder } from '../tree/walk.js'
import type { OutputFolder } from './folder.js'
import { refuseSecrets } from './guard.js'

/**
 * Hashes of the files to list, each of this build, of another plugin, or of an earlier build.
 * @param now what stands in the folder
 * @throws SignedImpError `ERR_SIGNEDIMP_LATE_WRITE`, `…_FILES`, `…_NOT_COVERED`, `…_OUTPUT`, `…_KEY_EXPOSED`
 */
export async function readFiles(
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
  const contents = folderContents(folder.dir)
  const found = await hashFiles(contents, wanted, hash)
  refuseChanges(expected, found)
  await refuseStaleCopies(contents, now.files.keys())
  const files = new Map([...found].filter(([path]) => listed.has(path)))
  const added = [...files.keys()].filter((path) => !expected.has(path))
  const left = findLeftOvers(folder, now, files, added)
  const code = await findAddedCode(folder.dir, added, left, secrets)
  await tellFailure(folder.reports[0]?.reportOnly, () => acceptUncovered(code, unverified))
  return files
}

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

/** Code that another plugin put beside the bundle, documents with scripts among it. */
async function findAddedCode(
  dir: string,
  added: string[],
  left: ReadonlySet<string>,
  secrets: string[],
): Promise<Uncovered[]> {
  const found: Uncovered[] = []
  const reason = 'written beside the bundle by another plugin: nothing checks what it runs'
  for (const name of added) {
    const content = await readFile(join(dir, name))
    refuseSecrets(name, content, secrets)
    if (!left.has(name) && bringsCode(name, content)) found.push({ name, reason })
  }
  return found
}

/** Static imports of this build's modules, and of those that an earlier build left, as far as they are still there. */
export function mergeImports(
  { old, emitted }: OutputFolder,
  files: Map<string, string>,
  hash: HashType,
): Map<string, StaticImport[]> {
  const isOld = (path: string) => old?.hash === hash && old.files.get(path) === files.get(path)
  const kept = new Map([...(old?.imports ?? [])].filter(([path]) => isOld(path)))
  const all = new Map([...kept, ...emitted.flatMap(({ imports }) => [...imports])])
  return new Map(
    [...all].filter(([path, list]) => files.has(path) && list.every((to) => files.has(to.path))),
  )
}
