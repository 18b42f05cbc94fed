import { randomUUID } from 'node:crypto'
import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** Writes a file so that a reader, or a crash, sees the old bytes or the new ones and nothing between. */
export const writeFileAtomically = (file: string, bytes: Uint8Array): Promise<void> =>
  replaceAtomically(file, (handle) => handle.writeFile(bytes))

/**
 * Replaces a file as {@link writeFileAtomically} does, by what `write` puts into a new one, which the same people may read and
 * write. A `write` that throws leaves the old one.
 */
export async function replaceAtomically(
  file: string,
  write: (handle: FileHandle) => Promise<void>,
): Promise<void> {
  const temporary = join(dirname(file), `.${basename(file)}.${randomUUID()}.tmp`)
  try {
    await writeThrough(temporary, await modeOf(file), write)
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** The path that a write was to replace which ended in between, by the path of what it left. */
export function targetOf(path: string): string | undefined {
  const [, folder = '', name] = /^(.*\/)?\.([^/]+)\.[0-9a-f-]{36}\.tmp$/.exec(path) ?? []
  return name === undefined ? undefined : folder + name
}

const modeOf = (file: string): Promise<number | undefined> =>
  stat(file).then(
    ({ mode }) => mode & 0o777,
    () => undefined,
  )

/** Writes a new file and waits for the disk: without it, a rename can survive a crash that the bytes do not. */
async function writeThrough(
  file: string,
  mode: number | undefined,
  write: (handle: FileHandle) => Promise<void>,
): Promise<void> {
  const handle = await open(file, 'wx', mode)
  try {
    // What is opened gets no rights that this process does not give by itself.
    if (mode !== undefined) await handle.chmod(mode)
    await write(handle)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
