import { SignedImpError } from '../errors.js'
import { isManifestOf } from '../manifest/names.js'
import { isCopyOfManifest } from './copies.js'
import { readWhole, type Contents } from './contents.js'
import type { Listed } from './tree.js'
import { targetOfLeftover } from './write.js'

/** What stands in a folder or a zip file, and which of the files is the manifest. */
export interface ManifestFolder extends Listed {
  manifestName: string
}

/**
 * What the manifest has to list: every file but itself, the page manifests beside it, compressed copies of these, and what
 * is left of them where a write was killed.
 */
export const listedFiles = ({ folder, manifestName }: Omit<ManifestFolder, 'contents'>): string[] =>
  [...folder.files.keys()].filter(
    (path) =>
      !isManifestOf(manifestName, path) &&
      !isCopyOfManifest(manifestName, path, folder.files) &&
      !isLeftover(manifestName, path),
  )

function isLeftover(manifestName: string, path: string): boolean {
  const target = targetOfLeftover(path)
  return target !== undefined && isManifestOf(manifestName, target)
}

/** What is left of manifests where a write was killed. Nobody has signed it, and whoever writes them next removes it. */
export const leftoversOf = ({ folder, manifestName }: Omit<ManifestFolder, 'contents'>): string[] =>
  [...folder.files.keys()].filter((path) => isLeftover(manifestName, path))

/** The manifests' compressed copies, which stand for themselves: they hold what a signed file holds. */
export const copiesOfManifests = ({ folder, manifestName }: ManifestFolder): string[] =>
  [...folder.files.keys()].filter((path) => isCopyOfManifest(manifestName, path, folder.files))

/** Names of the page manifests, those of older builds included. */
export const pageManifests = ({ folder, manifestName }: ManifestFolder): string[] =>
  [...folder.files.keys()].filter(
    (path) => path !== manifestName && isManifestOf(manifestName, path),
  )

/** Largest manifest that a tool reads: some half a million files. A page's own bound is lower. */
export const maxManifest = 64 * 2 ** 20

/**
 * Bytes of a stored manifest.
 * @throws SignedImpError `ERR_SIGNEDIMP_MANIFEST_INVALID` when it is larger than any honest one
 */
export async function readManifest(contents: Contents, path: string): Promise<Uint8Array> {
  const bytes = await readWhole(contents, path, maxManifest)
  if (bytes) return bytes
  const reason = `is larger than ${maxManifest} bytes`
  throw new SignedImpError('ERR_SIGNEDIMP_MANIFEST_INVALID', reason, { path })
}

/**
 * Bytes of the stored manifest of a folder or a zip file.
 * @throws SignedImpError `ERR_SIGNEDIMP_MISSING` without one, `…_PATH` when something else has its name
 */
export function readMain({
  contents,
  folder,
  manifestName: path,
}: ManifestFolder): Promise<Uint8Array> {
  const refused = folder.refused.get(path)
  if (refused) throw new SignedImpError('ERR_SIGNEDIMP_PATH', refused, { path })
  if (folder.files.has(path)) return readManifest(contents, path)
  const reason = 'is not there, so that nothing in the folder is vouched for'
  throw new SignedImpError('ERR_SIGNEDIMP_MISSING', reason, { path })
}
