import { randomUUID } from 'node:crypto'
import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/**
 * Writes a file so that a reader, a crash, or a loss of power sees the old bytes or the new ones and nothing between; and
 * the new ones, once this is done.
 */
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
  await syncFolder(dirname(file))
}

/** The path in whose place a file was to be put that {@link replaceAtomically} left because it was killed. */
export function targetOfLeftover(path: string): string | undefined {
  const [, folder = '', name] =
    /^(.*\/)?\.([^/]+)\.[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\.tmp$/.exec(path) ?? []
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

/** Waits until the disk has the names, too, so that of several files no later one can be there without an earlier one. */
async function syncFolder(dir: string): Promise<void> {
  try {
    const handle = await open(dir, 'r')
    await handle.sync().finally(() => handle.close())
  } catch (error) {
    // Windows opens no folders, and some file systems sync none: what can be done there is done.
    if (!unable.has((error as NodeJS.ErrnoException).code)) throw error
  }
}

const unable = new Set<string | undefined>([
  'EISDIR',
  'EPERM',
  'EACCES',
  'EINVAL',
  'ENOTSUP',
  'EBADF',
])
