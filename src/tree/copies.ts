/** Compressed copies: files that servers send in the place of those whose names they continue. */
import { createHash } from 'node:crypto'
import type { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import * as zlib from 'node:zlib'
import { SignedImpError } from '../errors.js'
import { isManifestOf } from '../manifest/names.js'
import type { Contents } from './contents.js'

type Decoder = Transform & { bytesWritten: number }

/** What decompresses, by the end of a name. Zstandard is in Node from 22.15 on. */
const decoders = new Map<string, (() => Decoder) | undefined>([
  ['br', zlib.createBrotliDecompress],
  ['gz', zlib.createGunzip],
  ['zst', (zlib as { createZstdDecompress?: () => Decoder }).createZstdDecompress],
])

/** The path whose compressed copy a path is, by its name alone. */
const originalOf = (path: string): string | undefined => /^(.+)\.(?:br|gz|zst)$/.exec(path)?.[1]

/** Paths that a path's compressed copies have. */
export const copiesOf = (path: string): string[] =>
  [...decoders.keys()].map((format) => `${path}.${format}`)

/**
 * Whether a path is the compressed copy of a manifest. No manifest lists those: they can only be made after it, and
 * signing anew makes them stale.
 * @param files what is there; a copy of a page manifest that is not there is a file like any other
 */
export function isCopyOfManifest(
  manifestName: string,
  path: string,
  files: { has(path: string): boolean },
): boolean {
  const original = originalOf(path)
  if (original === undefined || !isManifestOf(manifestName, original)) return false
  return original === manifestName || files.has(original)
}

/**
 * Refuses a folder in which a compressed copy holds other bytes than the file beside it: whoever asks for that file
 * would get the copy, which is another build's or was made before the file was finished.
 * @param paths all files of the folder
 * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` that names each copy and its file
 */
export async function refuseStaleCopies(
  contents: Contents,
  paths: Iterable<string>,
): Promise<void> {
  const stale = await findStaleCopies(contents, paths)
  if (stale.length === 0) return
  const [first, ...others] = stale.map(reasonAgainstCopy)
  const more = others.map((reason, at) => `; ${stale[at + 1]} ${reason}`).join('')
  const reason = `${first}, and servers send it in its place; delete it, or compress the final files: let the compression plugin run after this one's generateBundle, in writeBundle or closeBundle, or run it after the build${more}`
  throw new SignedImpError('ERR_SIGNEDIMP_OUTPUT', reason, { path: stale[0] })
}

/** What is wrong with a copy of {@link findStaleCopies}. */
export function reasonAgainstCopy(path: string): string {
  const original = originalOf(path)
  return decoderOf(path)
    ? `does not hold the bytes of ${original}`
    : `cannot be compared with ${original}, because Node ${process.versions.node} knows no Zstandard; Node 22.15 does`
}

/** The compressed copies in a folder that do not hold the bytes of the file beside them. */
export async function findStaleCopies(
  contents: Contents,
  paths: Iterable<string>,
): Promise<string[]> {
  const there = new Set(paths)
  const stale: string[] = []
  for (const path of there) {
    const original = originalOf(path)
    if (original === undefined || !there.has(original)) continue
    if (!(await isCopy(contents, path, original))) stale.push(path)
  }
  return stale
}

const decoderOf = (path: string) => decoders.get(path.slice(path.lastIndexOf('.') + 1))

async function isCopy(contents: Contents, copy: string, original: string): Promise<boolean> {
  const create = decoderOf(copy)
  if (!create) return false
  const decoder = create()
  const hash = createHash('sha256')
  let left = contents.size(original)
  try {
    await pipeline(contents.open(copy), decoder, async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        left -= chunk.length
        // A few bytes may stand for gigabytes.
        if (left < 0) return
        hash.update(chunk)
      }
    })
  } catch (error) {
    // Of the file, and not of what is in it.
    const { syscall } = error as NodeJS.ErrnoException
    if (syscall !== undefined || error instanceof SignedImpError) throw error
    return false
  }
  const isWhole = left === 0 && decoder.bytesWritten === contents.size(copy)
  return isWhole && hash.digest('hex') === (await contents.hash(original, 'sha256'))
}
