import { createReadStream, statSync } from 'node:fs'
import { join } from 'node:path'
import type { HashType } from '../crypto/algorithms.js'
import { hashFile } from '../crypto/node.js'

/** Reads the files of a folder or of a zip file, by their paths. */
export interface Contents {
  /** How many bytes a file has, as its container says. */
  size(path: string): number
  /** Hash of a file's bytes in hex. Does not hold a large file in memory. */
  hash(path: string, type: HashType): Promise<string>
  /** The bytes of a file, piece by piece. */
  open(path: string): AsyncIterable<Buffer>
}

/** Reads the files below a folder. */
export const folderContents = (dir: string): Contents => ({
  size: (path) => statSync(join(dir, path)).size,
  hash: (path, type) => hashFile(join(dir, path), type),
  open: (path) => createReadStream(join(dir, path)),
})

/**
 * All bytes of a file.
 * @returns undefined when there are more than `maxBytes`
 */
export async function readWhole(
  contents: Contents,
  path: string,
  maxBytes: number,
): Promise<Buffer | undefined> {
  if (contents.size(path) > maxBytes) return undefined
  const chunks: Buffer[] = []
  let left = maxBytes
  for await (const chunk of contents.open(path)) {
    left -= chunk.length
    // It may have grown since.
    if (left < 0) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
