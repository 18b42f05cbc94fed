/** Entries as the central directory lists them (APPNOTE.TXT 6.3.10, section 4.3.12). */
import { fromUtf8 } from '../../crypto/bytes.js'
import { SignedImpError } from '../../errors.js'
import { isPath } from '../../manifest/path.js'
import { widen } from './extra.js'
import { refuseZip } from './file.js'

/** An entry of a zip file. */
export interface Entry {
  /** A folder's has no slash at its end. */
  path: string
  isFolder: boolean
  /** The name as it is stored. */
  name: Buffer
  flags: number
  /** 0: stored. 8: deflated. */
  method: number
  /** Date and time of day, in the words of MS-DOS. */
  time: number
  /** CRC-32 of the file. */
  crc: number
  compressedSize: number
  size: number
  /** Where its local header is. */
  start: number
  /** How the directory lists it, and where in that the local header's place stands. */
  record: Buffer
  startAt: { at: number; bytes: 4 | 8 }
}

/** Flags of an entry (section 4.4.4). */
export const flag = { speed: 0b110, descriptor: 0b1000, utf8: 1 << 11 }

const headerSize = 46

/**
 * Reads the central directory.
 * @throws SignedImpError `ERR_SIGNEDIMP_ZIP`; `ERR_SIGNEDIMP_PATH` on a name that no manifest can list
 */
export function readEntries(directory: Buffer, count: number, file: string): Entry[] {
  const entries: Entry[] = []
  let at = 0
  while (at < directory.length) {
    const entry = readEntry(directory.subarray(at), file)
    entries.push(entry)
    at += entry.record.length
  }
  if (entries.length !== count)
    throw refuseZip(file, 'lists another number of entries than it says')
  return entries
}

function readEntry(bytes: Buffer, file: string): Entry {
  if (bytes.length < headerSize || bytes.readUInt32LE(0) !== 0x02014b50)
    throw refuseZip(file, 'has a list of entries that is damaged')
  const [nameLength, extraLength, commentLength] = [28, 30, 32].map((at) => bytes.readUInt16LE(at))
  const extraStart = headerSize + nameLength!
  const end = extraStart + extraLength!
  if (end > bytes.length) throw refuseZip(file, 'has a list of entries that is damaged')
  const name = bytes.subarray(headerSize, extraStart)
  const flags = bytes.readUInt16LE(8)
  const { path, isFolder } = readName(name, flags, file)
  if (commentLength !== 0) throw refuseZip(path, 'has a comment, which nobody would have signed')
  if (bytes.readUInt16LE(34) !== 0) throw refuseZip(path, 'is in another part of the zip file')
  const narrow = [24, 20, 42].map((at) => bytes.readUInt32LE(at))
  const [size, compressedSize, start] = widen(narrow, bytes.subarray(extraStart, end), path)
  const entry = {
    path,
    isFolder,
    name,
    flags,
    method: bytes.readUInt16LE(10),
    time: bytes.readUInt32LE(12),
    crc: bytes.readUInt32LE(16),
    compressedSize: compressedSize!.value,
    size: size!.value,
    start: start!.value,
    record: bytes.subarray(0, end),
    startAt:
      start!.at === undefined
        ? { at: 42, bytes: 4 as const }
        : { at: extraStart + start!.at, bytes: 8 as const },
  }
  refuseKind(entry, bytes.readUInt32LE(38))
  return entry
}

/** The name, as every reader has to read it. */
function readName(name: Buffer, flags: number, file: string): { path: string; isFolder: boolean } {
  const shown = name.toString()
  const text = decode(name)
  if (text === undefined) throw refusePath(shown, 'its name is not UTF-8')
  const isAscii = name.every((byte) => byte < 0x80)
  if (!isAscii && !(flags & flag.utf8))
    throw refusePath(
      shown,
      'its name is not marked as UTF-8, so that some read another name; rename it, or make the zip file with a tool that marks names, such as python3 -m zipfile',
    )
  const isFolder = text.endsWith('/')
  const path = isFolder ? text.slice(0, -1) : text
  if (path === '') throw refuseZip(file, 'has an entry without a name')
  if (!isPath(path) || /^[a-z]:/i.test(path))
    throw refusePath(
      text,
      'its name cannot stand in a manifest (absolute, leads out of the folder, control or direction characters, backslash, or not NFC); rename it',
    )
  return { path, isFolder }
}

const refusePath = (path: string, reason: string): SignedImpError =>
  new SignedImpError('ERR_SIGNEDIMP_PATH', reason, { path })

function decode(bytes: Uint8Array): string | undefined {
  try {
    return fromUtf8(bytes)
  } catch {
    return undefined
  }
}

const [typeMask, regular, folder] = [0xf000, 0x8000, 0x4000]

/** Refuses what is no plain file or folder, and what needs more than inflating to be read. */
function refuseKind(
  { path, isFolder, flags, method, size, compressedSize }: Entry,
  attributes: number,
): void {
  if (flags & 0b0010_0000_0100_0001) throw refuseZip(path, 'is encrypted')
  if (flags & ~(flag.speed | flag.descriptor | flag.utf8))
    throw refuseZip(path, 'is stored in a way that is unknown')
  if (method !== 0 && method !== 8)
    throw refuseZip(
      path,
      `is compressed by method ${method}, which is neither "stored" nor "deflated"`,
    )
  // What a link needs is that a reader takes it for one: Unix (upper half), and Windows' reparse points.
  const type = (attributes >>> 16) & typeMask
  if ((type !== 0 && type !== (isFolder ? folder : regular)) || attributes & 0x400)
    throw new SignedImpError('ERR_SIGNEDIMP_PATH', 'is a link, or no regular file', { path })
  if (attributes & 0x10 && !isFolder)
    throw refuseZip(path, 'is a folder to some and a file to others')
  if (isFolder && (size !== 0 || compressedSize !== 0))
    throw refuseZip(path, 'is a folder that holds bytes')
}
