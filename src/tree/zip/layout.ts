/** Where entries stand in a zip file: one directly behind the other, from its first byte to the central directory. */
import { findZip64 } from './extra.js'
import { flag, type Entry } from './entry.js'
import { readAt, readUInt64, refuseZip, type ZipFile } from './file.js'

/** An entry, and where its bytes are. */
export interface PlacedEntry extends Entry {
  /** Of the compressed bytes. */
  dataStart: number
  /** Where the next entry begins, or the central directory. */
  end: number
}

const headerSize = 30

/**
 * Reads the local headers, which must say what the directory says; no byte may be in two entries, or in none.
 * @param end where the central directory begins
 * @throws SignedImpError `ERR_SIGNEDIMP_ZIP`
 */
export function placeEntries(zip: ZipFile, entries: readonly Entry[], end: number): PlacedEntry[] {
  refuseSamePaths(entries)
  const sorted = [...entries].sort((a, b) => a.start - b.start)
  if ((sorted[0]?.start ?? end) !== 0) throw refuseZip(zip.file, 'has bytes before its first entry')
  const ends = new Map(sorted.map((entry, at) => [entry, sorted[at + 1]?.start ?? end]))
  return entries.map((entry) => place(zip, entry, ends.get(entry)!))
}

/** One name is one file: not two, and not a folder of others. */
function refuseSamePaths(entries: readonly Entry[]): void {
  const files = new Map<string, Entry>()
  for (const entry of entries) {
    if (files.has(entry.path)) throw refuseZip(entry.path, 'is there twice')
    files.set(entry.path, entry)
  }
  for (const { path } of entries)
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1))
      if (files.get(path.slice(0, at))?.isFolder === false)
        throw refuseZip(path.slice(0, at), 'is a file, and a folder with files')
}

function place(zip: ZipFile, entry: Entry, end: number): PlacedEntry {
  const { path, start } = entry
  if (end - start < headerSize + entry.name.length) throw refuseZip(path, 'overlaps another entry')
  const header = readAt(zip, start, headerSize + entry.name.length)
  const extraStart = start + header.length
  const extra = readAt(zip, extraStart, header.readUInt16LE(28))
  const isWide = agrees(entry, header, extra)
  const dataStart = extraStart + extra.length
  const dataEnd = dataStart + entry.compressedSize
  if (dataEnd > end) throw refuseZip(path, 'overlaps another entry')
  checkDescriptor(zip, entry, { start: dataEnd, end, isWide })
  return { ...entry, dataStart, end }
}

/** Checks a local header (APPNOTE.TXT 6.3.10, section 4.3.7). @returns whether its sizes are in a Zip64 field */
function agrees(entry: Entry, header: Buffer, extra: Buffer): boolean {
  const { path, name, flags, method, time } = entry
  const isSame =
    header.readUInt32LE(0) === 0x04034b50 &&
    header.readUInt16LE(6) === flags &&
    header.readUInt16LE(8) === method &&
    header.readUInt32LE(10) === time &&
    header.readUInt16LE(26) === name.length &&
    header.subarray(headerSize).equals(name)
  const field = findZip64(extra, path)
  const stated = [header.readUInt32LE(22), header.readUInt32LE(18)]
  // Both sizes or none.
  const isWide = stated.every((size) => size === 0xffffffff)
  if (isSame && (field?.length ?? 0) === (isWide ? 16 : 0) && (isWide || !field)) {
    const sizes = isWide ? [0, 8].map((at) => readUInt64(extra, field!.start + at)) : stated
    const found = [header.readUInt32LE(14), ...sizes]
    const listed = [entry.crc, entry.size, entry.compressedSize]
    // With a descriptor, they may be left out here.
    const mayLack = (flags & flag.descriptor) !== 0
    if (found.every((value, at) => value === listed[at] || (mayLack && value === 0))) return isWide
  }
  throw refuseZip(path, 'has a header that says something else than the list of entries')
}

/** Between the data and the next entry there is a data descriptor (section 4.3.9) if the flags say so, and nothing else. */
function checkDescriptor(
  zip: ZipFile,
  { path, flags, method, crc, compressedSize, size }: Entry,
  { start, end, isWide }: { start: number; end: number; isWide: boolean },
): void {
  if (!(flags & flag.descriptor)) {
    if (start !== end) throw refuseZip(path, 'has bytes behind it that are in no entry')
    return
  }
  if (method === 0 && compressedSize > 0)
    throw refuseZip(
      path,
      'is stored with a data descriptor, so that some readers cannot tell its end',
    )
  const expected = Buffer.alloc(isWide ? 24 : 16)
  expected.writeUInt32LE(0x08074b50)
  expected.writeUInt32LE(crc, 4)
  const put = (value: number, at: number) =>
    isWide ? expected.writeBigUInt64LE(BigInt(value), at) : expected.writeUInt32LE(value, at)
  put(compressedSize, 8)
  put(size, isWide ? 16 : 12)
  const length = end - start
  // The signature may be left out.
  const skipped = expected.length - length
  if (
    (skipped !== 0 && skipped !== 4) ||
    !readAt(zip, start, length).equals(expected.subarray(skipped))
  )
    throw refuseZip(path, 'has a data descriptor that says something else than the list of entries')
}
