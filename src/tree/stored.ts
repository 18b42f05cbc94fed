import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { SignedImpError } from '../errors.js'
import { isManifestOf } from '../manifest/names.js'
import { isCopyOfManifest } from './copies.js'
import type { Folder } from './walk.js'

/** A folder, and which of its files is the manifest. */
export interface ManifestFolder {
  dir: string
  folder: Folder
  manifestName: string
}

/** What the manifest has to list: every file but itself, the page manifests beside it, and compressed copies of these. */
export const listedFiles = ({ folder, manifestName }: Omit<ManifestFolder, 'dir'>): string[] =>
  [...folder.files.keys()].filter(
    (path) =>
      !isManifestOf(manifestName, path) && !isCopyOfManifest(manifestName, path, folder.files),
  )

/** The manifests' compressed copies, which stand for themselves: they hold what a signed file holds. */
export const copiesOfManifests = ({ folder, manifestName }: ManifestFolder): string[] =>
  [...folder.files.keys()].filter((path) => isCopyOfManifest(manifestName, path, folder.files))

/** Names of the page manifests, those of older builds included. */
export const pageManifests = ({ folder, manifestName }: ManifestFolder): string[] =>
  [...folder.files.keys()].filter(
    (path) => path !== manifestName && isManifestOf(manifestName, path),
  )

/** Largest manifest that a tool reads: some half a million files. A page's own bound is lower. */
const maxBytes = 64 * 2 ** 20

/**
 * Bytes of a stored manifest.
 * @throws SignedImpError `ERR_SIGNEDIMP_MANIFEST_INVALID` when it is larger than any honest one
 */
export async function readManifest(dir: string, path: string): Promise<Uint8Array> {
  const handle = await open(join(dir, path))
  try {
    const { size } = await handle.stat()
    if (size <= maxBytes) return await handle.readFile()
    const reason = `is larger than ${maxBytes} bytes`
    throw new SignedImpError('ERR_SIGNEDIMP_MANIFEST_INVALID', reason, { path })
  } finally {
    await handle.close()
  }
}
