/** Puts files into a zip file. The bytes of all other entries stay, and so does what the directory says of them. */
import { createReadStream } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { crc32 } from 'node:zlib'
import { utf8 } from '../../crypto/bytes.js'
import { flag } from './entry.js'
import type { ZipFile } from './file.js'
import type { PlacedEntry } from './layout.js'

/**
 * Writes a zip file with the entries of another, and files behind them.
 * @param kept entries in the order in which the directory lists them
 */
export async function writeZip(
  to: FileHandle,
  zip: ZipFile,
  kept: readonly PlacedEntry[],
  files: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  const starts = await copyEntries(to, zip, kept)
  let at = [...kept].reduce((sum, { start, end }) => sum + end - start, 0)
  const records = kept.map((entry) => movedRecord(entry, starts.get(entry)!))
  for (const [path, bytes] of files) {
    const { header, record } = describe(path, bytes, at)
    await to.write(Buffer.concat([header, bytes]))
    records.push(record)
    at += header.length + bytes.length
  }
  const directory = Buffer.concat(records)
  await to.write(directory)
  await to.write(endOf(records.length, directory.length, at))
}

/** Copies entries in the order in which they stand. @returns where each now begins */
async function copyEntries(
  to: FileHandle,
  zip: ZipFile,
  kept: readonly PlacedEntry[],
): Promise<Map<PlacedEntry, number>> {
  const starts = new Map<PlacedEntry, number>()
  const ranges: { start: number; end: number }[] = []
  let at = 0
  for (const entry of [...kept].sort((a, b) => a.start - b.start)) {
    const last = ranges.at(-1)
    if (last?.end === entry.start) last.end = entry.end
    else ranges.push({ start: entry.start, end: entry.end })
    starts.set(entry, at)
    at += entry.end - entry.start
  }
  for (const { start, end } of ranges) {
    const options = { fd: zip.descriptor, autoClose: false, start, end: end - 1 }
    await pipeline(createReadStream('', options), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) await to.write(chunk)
    })
  }
  return starts
}

/** Entries only ever move to the front, so that there is room for where they begin. */
function movedRecord({ record, startAt }: PlacedEntry, start: number): Buffer {
  const moved = Buffer.from(record)
  if (startAt.bytes === 4) moved.writeUInt32LE(start, startAt.at)
  else moved.writeBigUInt64LE(BigInt(start), startAt.at)
  return moved
}

/** The first moment that MS-DOS knows: 1980-01-01. The same manifest makes the same zip file. */
const epoch = 0x00210000
const fileMode = 0o100644

/** The headers of a stored file (APPNOTE.TXT 6.3.10, sections 4.3.7 and 4.3.12). */
function describe(
  path: string,
  bytes: Uint8Array,
  start: number,
): Record<'header' | 'record', Buffer> {
  const name = utf8(path)
  const isFar = start >= 0xffffffff
  const common = Buffer.alloc(26)
  common.writeUInt16LE(isFar ? 45 : 20, 0)
  common.writeUInt16LE(name.every((byte) => byte < 0x80) ? 0 : flag.utf8, 2)
  common.writeUInt32LE(epoch, 6)
  common.writeUInt32LE(crc32(bytes), 10)
  common.writeUInt32LE(bytes.length, 14)
  common.writeUInt32LE(bytes.length, 18)
  common.writeUInt16LE(name.length, 22)
  const tail = Buffer.alloc(isFar ? 26 : 14)
  tail.writeUInt32LE(fileMode * 0x10000, 6)
  tail.writeUInt32LE(isFar ? 0xffffffff : start, 10)
  const extra = tail.subarray(14)
  if (isFar) {
    extra.writeUInt16LE(1)
    extra.writeUInt16LE(8, 2)
    extra.writeBigUInt64LE(BigInt(start), 4)
  }
  const listed = Buffer.from(common)
  listed.writeUInt16LE(extra.length, 24)
  return {
    header: Buffer.concat([numbers(0x04034b50), common, name]),
    // Made on Unix, by the rules of version 4.5.
    record: Buffer.concat([
      numbers(0x02014b50),
      Buffer.of(45, 3),
      listed,
      tail.subarray(0, 14),
      name,
      extra,
    ]),
  }
}

const numbers = (...values: number[]): Buffer => Buffer.from(Uint32Array.from(values).buffer)

/** The end of a zip file, with a Zip64 end where there is no room in the other. */
function endOf(count: number, size: number, start: number): Buffer {
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50)
  end.writeUInt16LE(Math.min(count, 0xffff), 8)
  end.writeUInt16LE(Math.min(count, 0xffff), 10)
  end.writeUInt32LE(Math.min(size, 0xffffffff), 12)
  end.writeUInt32LE(Math.min(start, 0xffffffff), 16)
  if (count < 0xffff && size < 0xffffffff && start < 0xffffffff) return end
  const large = Buffer.alloc(56 + 20)
  large.writeUInt32LE(0x06064b50)
  large.writeBigUInt64LE(44n, 4)
  large.writeUInt16LE(45, 12)
  large.writeUInt16LE(45, 14)
  for (const [at, value] of [
    [24, count],
    [32, count],
    [40, size],
    [48, start],
  ] as const)
    large.writeBigUInt64LE(BigInt(value), at)
  large.writeUInt32LE(0x07064b50, 56)
  large.writeBigUInt64LE(BigInt(start + size), 64)
  large.writeUInt32LE(1, 72)
  return Buffer.concat([large, end])
}
