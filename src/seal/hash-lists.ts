/** Files that hold hashes of others, as the precache lists of service workers do: sealing would make them wrong. */
import { createHash } from 'node:crypto'
import { decode } from '../emit/output.js'

/** Hashes as such lists spell them: hex, and base64. */
const token =
  /\b[0-9a-f]{128}\b|\b[0-9a-f]{96}\b|\b[0-9a-f]{64}\b|\b[0-9a-f]{40}\b|\b[0-9a-f]{32}\b|[A-Za-z0-9+/]{86}==|[A-Za-z0-9+/]{64}|[A-Za-z0-9+/]{43}=/g

/**
 * Finds texts that hold a hash of bytes that a seal changes.
 * @param texts to look in, by path
 * @param changed bytes before the seal, by path
 * @returns the path of the text, and that of the file of which it has the hash
 */
export function findHashList(
  texts: ReadonlyMap<string, string | Uint8Array>,
  changed: ReadonlyMap<string, Buffer>,
): { list: string; file: string } | undefined {
  const hashes = new Map(
    [...changed].flatMap(([path, bytes]) => spellings(bytes).map((hash) => [hash, path])),
  )
  for (const [list, source] of texts)
    for (const [hash] of decode(source)?.matchAll(token) ?? []) {
      const file = hashes.get(hash)
      if (file !== undefined) return { list, file }
    }
  return undefined
}

const spellings = (bytes: Buffer): string[] =>
  ['md5', 'sha1', 'sha256', 'sha384', 'sha512'].flatMap((type) => {
    const digest = createHash(type).update(bytes).digest()
    return [digest.toString('hex'), digest.toString('base64')]
  })
