import { closeSync, openSync, readSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { defaultManifestName } from '../manifest/names.js'
import type { ManifestPlace } from '../tree/signatures.js'
import { folderTree, manifestTree, type Tree } from '../tree/tree.js'
import { zipTree } from '../tree/zip/tree.js'

/** Whether a path is that of a folder; what else is there is taken for a zip file. @throws an error of the system */
export const isFolder = async (path: string): Promise<boolean> => (await stat(path)).isDirectory()

/** What a command was given to look at. */
export const treeOf = async (path: string): Promise<Tree> =>
  (await isFolder(path)) ? folderTree(path) : zipTree(path)

/** Where the manifests are of what a command was given: a folder, a zip file, or a manifest alone. */
export async function placeOf(
  path: string,
  manifestName: string = defaultManifestName,
): Promise<ManifestPlace> {
  if ((await isFolder(path)) || looksLikeZip(path))
    return { tree: await treeOf(path), manifestName, alone: false }
  return { tree: manifestTree(path), manifestName: basename(path), alone: true }
}

/** Whether a file begins as a zip file does, so that it is no manifest. */
function looksLikeZip(file: string): boolean {
  const bytes = Buffer.alloc(2)
  const descriptor = openSync(file, 'r')
  try {
    readSync(descriptor, bytes, 0, 2, 0)
  } finally {
    closeSync(descriptor)
  }
  return bytes.toString() === 'PK'
}
