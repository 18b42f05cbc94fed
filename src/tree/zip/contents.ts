import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { crc32, createInflateRaw, inflateRawSync, type InflateRaw } from 'node:zlib'
import { hashBytes } from '../../crypto/node.js'
import type { Contents } from '../contents.js'
import { readAt, refuseZip, type ZipFile } from './file.js'
import type { PlacedEntry } from './layout.js'

/** Up to these sizes an entry is read at once: streams would cost more than the hash. */
const maxWhole = { compressedSize: 1 << 18, size: 1 << 20 }

/** Reads the files of a zip file. Each has the size and the CRC-32 that its header says, or is refused. */
export function zipContents(zip: ZipFile, entries: ReadonlyMap<string, PlacedEntry>): Contents {
  const open = (path: string) => contentOf(zip, entries.get(path)!)
  return {
    size: (path) => entries.get(path)!.size,
    open,
    async hash(path, type) {
      const entry = entries.get(path)!
      if (isSmall(entry)) return hashBytes(type, readSmall(zip, entry))
      const sum = createHash(type)
      for await (const chunk of open(path)) sum.update(chunk)
      return sum.digest('hex')
    },
  }
}

const isSmall = ({ compressedSize, size }: PlacedEntry): boolean =>
  compressedSize <= maxWhole.compressedSize && size <= maxWhole.size

function readSmall(zip: ZipFile, entry: PlacedEntry): Buffer {
  const stored = readAt(zip, entry.dataStart, entry.compressedSize)
  const { bytes, consumed } = entry.method === 0 ? plain(stored) : inflate(stored, entry)
  refuseUnlessWhole(entry, { size: bytes.length, crc: crc32(bytes), consumed })
  return bytes
}

const plain = (bytes: Buffer) => ({ bytes, consumed: bytes.length })

function inflate(stored: Buffer, entry: PlacedEntry): { bytes: Buffer; consumed: number } {
  try {
    // Node gives the engine too where `info` is set, which its types do not say.
    const { buffer, engine } = inflateRawSync(stored, {
      info: true,
      maxOutputLength: Math.max(entry.size, 1),
    }) as unknown as { buffer: Buffer; engine: InflateRaw }
    return { bytes: buffer, consumed: engine.bytesWritten }
  } catch {
    throw damaged(entry)
  }
}

/** The bytes of an entry, piece by piece: none more than it should have, and no end before it was seen to be right. */
async function* contentOf(zip: ZipFile, entry: PlacedEntry): AsyncGenerator<Buffer> {
  const { dataStart, compressedSize, method } = entry
  if (isSmall(entry)) return yield readSmall(zip, entry)
  const stored = createReadStream('', {
    fd: zip.descriptor,
    autoClose: false,
    start: dataStart,
    end: dataStart + compressedSize - 1,
  })
  const decoder = method === 0 ? stored : pipeline(stored, createInflateRaw(), () => {})
  const found = { size: 0, crc: 0 }
  try {
    for await (const chunk of decoder as AsyncIterable<Buffer>) {
      found.size += chunk.length
      found.crc = crc32(chunk, found.crc)
      if (found.size > entry.size) throw damaged(entry)
      yield chunk
    }
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code?.startsWith('Z_') ? damaged(entry) : error
  }
  refuseUnlessWhole(entry, {
    ...found,
    consumed: decoder === stored ? stored.bytesRead : (decoder as InflateRaw).bytesWritten,
  })
}

function refuseUnlessWhole(
  entry: PlacedEntry,
  { size, crc, consumed }: { size: number; crc: number; consumed: number },
): void {
  const isWhole = size === entry.size && crc === entry.crc && consumed === entry.compressedSize
  if (!isWhole) throw damaged(entry)
}

const damaged = ({ path }: PlacedEntry) =>
  refuseZip(path, 'does not hold the bytes that its header says')
