import { rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { folderContents, type Contents } from './contents.js'
import { whileStill, type Folder } from './walk.js'
import { writeFileAtomically } from './write.js'

/** What stands in a folder or a zip file, and what reads it. */
export interface Listed {
  folder: Folder
  contents: Contents
}

/** A folder or a zip file, to look at and to put manifests into. */
export interface Tree {
  /** Where it is, as paths are shown. */
  path: string
  /**
   * Does `work` on what is there: what `work` read is then what stands there.
   * @throws SignedImpError `ERR_SIGNEDIMP_LATE_WRITE` when something changed meanwhile
   */
  whileStill<T>(work: (listed: Listed) => Promise<T>): Promise<T>
  /**
   * Writes files, the last one last: until it is there, nothing changed that anybody goes by.
   * @param removed paths of files that may be there, and then are there no more
   */
  write(files: ReadonlyMap<string, Uint8Array>, removed: readonly string[]): Promise<void>
}

/** A folder, to look at and to put manifests into. */
export const folderTree = (dir: string): Tree => ({
  path: dir,
  whileStill: (work) =>
    whileStill(dir, (folder) => work({ folder, contents: folderContents(dir) })),
  async write(files, removed) {
    for (const path of removed) await rm(join(dir, path), { force: true })
    for (const [path, bytes] of files) await writeFileAtomically(join(dir, path), bytes)
  },
})

/** A manifest alone, to look at and to write anew: what else is in its folder is not looked at. */
export const manifestTree = (file: string): Tree => {
  const [dir, name] = [dirname(file), basename(file)]
  return {
    path: file,
    whileStill: (work) =>
      work({
        folder: { files: new Map([[name, '']]), refused: new Map() },
        contents: folderContents(dir),
      }),
    write: folderTree(dir).write,
  }
}
