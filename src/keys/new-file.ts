import { open, realpath, rename, rm } from 'node:fs/promises'
import { codeOf, refuseKey } from './source.js'

/**
 * Writes a file that must not exist yet, whole or not at all.
 * @throws {@link SignedImpError} `ERR_SIGNEDIMP_KEY`
 */
export async function writeNew(
  file: string,
  content: string | Uint8Array,
  mode: number,
): Promise<void> {
  const handle = await open(file, 'wx', mode).catch((error: unknown) => {
    throw refuseKey({ option: 'file', file }, reasonOf(error))
  })
  try {
    await handle.writeFile(content)
    await handle.sync()
  } catch (error) {
    await rm(file)
    throw refuseKey({ option: 'file', file }, reasonOf(error))
  } finally {
    await handle.close()
  }
}

/**
 * Puts a file in the place of another when `check` has found that it is right; until then the old one is there.
 * @param check is given the new file, and throws where it is not as it should be
 */
export async function replaceFile(
  file: string,
  content: string | Uint8Array,
  check: (file: string) => Promise<void>,
): Promise<void> {
  // A link stays one.
  const target = await realpath(file)
  const next = `${target}.new`
  await writeNew(next, content, 0o600)
  try {
    await check(next)
    await rename(next, target)
  } catch (error) {
    await rm(next)
    throw error
  }
}

const reasonOf = (error: unknown): string =>
  codeOf(error) === 'EEXIST'
    ? 'exists already, and a key file is never overwritten: choose another name'
    : `cannot be written (${codeOf(error)})`
