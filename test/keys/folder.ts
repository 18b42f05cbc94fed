import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Runs `work` with a folder of its own, which goes afterwards: keys of tests stay nowhere. */
export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'signedimp-keys-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}
