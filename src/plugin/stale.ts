/** What earlier builds left of signatures and is true no more. */
import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { nodeCrypto } from '../crypto/node.js'
import type { Release } from '../emit/release.js'
import type { Manifest } from '../manifest/format.js'
import { isManifestOf } from '../manifest/names.js'
import { verifyManifest } from '../manifest/verify.js'
import { folderContents } from '../tree/contents.js'
import { copiesOf, findStaleCopies } from '../tree/copies.js'
import { hashFiles } from '../tree/hash.js'
import { readManifest } from '../tree/stored.js'
import type { OutputFolder } from './folder.js'

/** Removes page manifests that list files which are there no more, and compressed copies of manifests that they do not hold. */
export async function removeStale(folder: OutputFolder, release: Release): Promise<void> {
  const names = await namesIn(folder.dir)
  await removeStalePages(folder, release, names)
  await removeStaleCopies(folder.dir, release, names)
}

/** Names of the files at the root of a folder, where manifests are. */
async function namesIn(dir: string): Promise<Set<string>> {
  if (!existsSync(dir)) return new Set()
  const entries = await readdir(dir, { withFileTypes: true })
  return new Set(entries.filter((entry) => entry.isFile()).map(({ name }) => name))
}

/** Removes page manifests of earlier builds whose files are no longer what they list, or that no key of ours signed: their pages cannot start. */
async function removeStalePages(
  { dir, emitted }: OutputFolder,
  release: Release,
  names: Set<string>,
): Promise<void> {
  const { manifestName, keys, name } = release
  const own = new Set([manifestName, ...emitted.flatMap(({ manifests }) => manifests)])
  for (const path of names) {
    if (own.has(path) || !isManifestOf(manifestName, path)) continue
    const trust = { keys, threshold: 1, name }
    const page = await verifyManifest(
      await readManifest(folderContents(dir), path),
      trust,
      nodeCrypto,
    ).catch(() => undefined)
    if (page && (await isAllThere(dir, page))) continue
    await removeManifest(dir, path)
    for (const file of [path, ...copiesOf(path)]) names.delete(file)
  }
}

/** Removes compressed copies of manifests that they do not hold: of the manifest, which is written after them, any. */
async function removeStaleCopies(
  dir: string,
  { manifestName }: Release,
  names: ReadonlySet<string>,
): Promise<void> {
  const pages = [...names].filter((path) => isManifestOf(manifestName, path))
  const copies = pages.flatMap(copiesOf).filter((path) => names.has(path))
  const stale = await findStaleCopies(folderContents(dir), [...pages, ...copies])
  for (const path of [...stale, ...copiesOf(manifestName)])
    await rm(join(dir, path), { force: true })
}

/** Removes a manifest with its compressed copies. */
export async function removeManifest(dir: string, path: string): Promise<void> {
  for (const file of [path, ...copiesOf(path)]) await rm(join(dir, file), { force: true })
}

async function isAllThere(dir: string, page: Manifest): Promise<boolean> {
  const paths = [...page.files.keys()]
  if (!paths.every((path) => existsSync(join(dir, path)))) return false
  const found = await hashFiles(folderContents(dir), paths, page.hash)
  return paths.every((path) => found.get(path) === page.files.get(path))
}
