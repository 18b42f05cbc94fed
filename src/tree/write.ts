import { randomUUID } from 'node:crypto'
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** Writes a file so that a reader, or a crash, sees the old bytes or the new ones and nothing between. */
export const writeFileAtomically = (file: string, bytes: Uint8Array): Promise<void> =>
  replaceAtomically(file, (handle) => handle.writeFile(bytes))

/**
 * Replaces a file as {@link writeFileAtomically} does, by what `write` puts into a new one. A `write` that throws leaves
 * the old one.
 */
export async function replaceAtomically(
  file: string,
  write: (handle: FileHandle) => Promise<void>,
): Promise<void> {
  const temporary = join(dirname(file), `.${basename(file)}.${randomUUID()}.tmp`)
  try {
    await writeThrough(temporary, write)
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** Writes a new file and waits for the disk: without it, a rename can survive a crash that the bytes do not. */
async function writeThrough(
  file: string,
  write: (handle: FileHandle) => Promise<void>,
): Promise<void> {
  const handle = await open(file, 'wx')
  try {
    await write(handle)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
