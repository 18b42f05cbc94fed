import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { hashBytes } from '../../crypto/node.js'
import type { Emitted, Release } from '../../emit/release.js'
import { toManifest } from '../../emit/manifest.js'
import { isCode, isDocument, isPage, type Output, type OutputFile } from '../../emit/output.js'
import { writeSignedText } from '../../manifest/format.js'
import { isManifestOf } from '../../manifest/names.js'
import { signManifest } from '../../manifest/sign.js'
import { walkIfThere, type Folder } from '../../tree/walk.js'
import type { OutputFolder } from '../folder.js'
import { refuseSecrets } from '../guard.js'
import type { Keys } from '../release.js'

/**
 * Adds to an output what other plugins have put into its folder since the build began: esbuild has no other way for
 * them to emit pages and copies.
 * @param before the folder as it was then
 * @param pages paths of what the build itself makes pages of; what was copied there is not one more
 */
export async function adoptFiles(
  output: Output,
  dir: string,
  before: Folder,
  pages: ReadonlyMap<string, string>,
  { release, secrets }: Keys,
): Promise<void> {
  const { files } = await walkIfThere(dir)
  for (const [path, stamp] of files) {
    const isKnown = before.files.get(path) === stamp || output.has(path) || pages.has(path)
    if (isKnown || isManifestOf(release.manifestName, path)) continue
    const content = await readFile(join(dir, path))
    refuseSecrets(path, content, secrets)
    output.set(path, adopt(path, content, release))
  }
}

function adopt(path: string, content: Buffer, { hash }: Release): OutputFile {
  const file = { path, isModule: false, isEntry: false }
  if (isPage(path)) return { ...file, source: content }
  const fixed = isDocument(path) ? { fixed: content } : {}
  const code = isCode(path) ? { source: content } : {}
  return { ...file, digest: hashBytes(hash, content), ...fixed, ...code }
}

/** Adds the manifest of the whole output to it, where no folder is written that could be compared before. */
export async function addManifest(
  output: Output,
  { digests, imports, changed }: Emitted,
  release: Release,
): Promise<void> {
  const { manifestName: path, signer } = release
  const files = new Map([...digests].filter(([file]) => !isManifestOf(path, file)))
  const source = await signManifest(
    writeSignedText(toManifest(release, { imports, files })),
    signer,
  )
  output.set(path, { path, source, isModule: false, isEntry: false })
  changed.set(path, source)
  digests.set(path, hashBytes(release.hash, source))
}

/**
 * Writes an output; pages last, so that none is there before what it names. Synchronous: a folder takes one new file at a
 * time, and asking a thread of the pool for each takes twice as long.
 */
export function writeOutput(
  { dir, before }: Pick<OutputFolder, 'dir' | 'before'>,
  output: Output,
): void {
  const files = [...output.values()].filter(({ source }) => source !== undefined)
  for (const folder of new Set(files.map(({ path }) => dirname(join(dir, path)))))
    mkdirSync(folder, { recursive: true })
  for (const isLast of [false, true])
    for (const { path, source } of files)
      if (isPage(path) === isLast) writeIfOther(join(dir, path), source!, before.files.has(path))
}

/** What watches the folder is not woken by a file that stays as it was. */
function writeIfOther(file: string, source: string | Uint8Array, isThere: boolean): void {
  const bytes = typeof source === 'string' ? Buffer.from(source) : source
  if (!isThere || !isSame(file, bytes)) writeFileSync(file, bytes)
}

function isSame(file: string, bytes: Uint8Array): boolean {
  try {
    return Buffer.compare(readFileSync(file), bytes) === 0
  } catch {
    return false
  }
}
