import type { HashType } from '../crypto/algorithms.js'
import type { Contents } from './contents.js'

/** Told after each file how many of how many are hashed. */
export type Progress = (done: number, of: number) => void

/** Files read at a time: enough to keep a disk and the thread pool busy. */
const parallel = 4

/** Hashes of files in hex, by path. Large ones are streamed, so that memory does not grow with them. */
export async function hashFiles(
  contents: Contents,
  paths: readonly string[],
  type: HashType,
  progress?: Progress,
): Promise<Map<string, string>> {
  const hashes = new Map<string, string>()
  const queue = each(paths)
  const work = async () => {
    for (const path of queue) {
      hashes.set(path, await contents.hash(path, type))
      progress?.(hashes.size, paths.length)
    }
  }
  await Promise.all(Array.from({ length: parallel }, work))
  return hashes
}

/** A generator and not the array's iterator: one worker's failure closes it, which stops the others. */
export function* each<T>(items: readonly T[]): Generator<T> {
  yield* items
}
