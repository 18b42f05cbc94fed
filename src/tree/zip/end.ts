/** The end of a zip file, which says where its list of entries is. Sections are those of APPNOTE.TXT 6.3.10. */
import { readAt, readUInt64, refuseZip, type ZipFile } from './file.js'

/** Where the central directory is. */
export interface Directory {
  start: number
  size: number
  /** How many entries it lists. */
  count: number
}

const sizes = { end: 22, locator: 20, end64: 56 }

/**
 * Finds the central directory, which must end where the end record begins, at the end of the file.
 * @throws SignedImpError `ERR_SIGNEDIMP_ZIP`
 */
export function findDirectory(zip: ZipFile): Directory {
  const at = zip.size - sizes.end
  const end = at < 0 ? undefined : readAt(zip, at, sizes.end)
  // Without a comment, so that there is one place where it can be.
  if (end?.readUInt32LE(0) !== 0x06054b50 || end.readUInt16LE(20) !== 0)
    throw refuseZip(zip.file, 'is no zip file, or has a comment or other bytes behind its end')
  const large = readEnd64(zip, at)
  const directory = large ? agreed(zip, end, large) : directoryOf(zip, end)
  const stop = large ? at - sizes.locator - sizes.end64 : at
  if (directory.start + directory.size !== stop)
    throw refuseZip(
      zip.file,
      'has bytes between its list of entries and its end, or before its beginning',
    )
  return directory
}

/** Section 4.3.16. */
function directoryOf({ file }: ZipFile, end: Buffer): Directory {
  const count = end.readUInt16LE(10)
  if (end.readUInt32LE(4) !== 0 || end.readUInt16LE(8) !== count)
    throw refuseZip(file, 'is one of several parts')
  return { count, size: end.readUInt32LE(12), start: end.readUInt32LE(16) }
}

/** Sections 4.3.14 and 4.3.15. Looked for in any file: some readers go by it where it stands, others only where it must. */
function readEnd64(zip: ZipFile, endAt: number): Directory | undefined {
  const locatorAt = endAt - sizes.locator
  if (locatorAt < 0) return undefined
  const locator = readAt(zip, locatorAt, sizes.locator)
  if (locator.readUInt32LE(0) !== 0x07064b50) return undefined
  const at = locatorAt - sizes.end64
  const end = readAt(zip, at, sizes.end64)
  const count = readUInt64(end, 32)
  const isPlain =
    readUInt64(locator, 8) === at &&
    locator.readUInt32LE(4) === 0 &&
    locator.readUInt32LE(16) === 1 &&
    end.readUInt32LE(0) === 0x06064b50 &&
    readUInt64(end, 4) === sizes.end64 - 12 &&
    readUInt64(end, 16) === 0 &&
    readUInt64(end, 24) === count
  if (!isPlain) throw refuseZip(zip.file, 'has a Zip64 end that is not as it must be')
  return { count, size: readUInt64(end, 40), start: readUInt64(end, 48) }
}

/** What both ends say: the small one the same as the large one, or that it has no room for it. */
function agreed(zip: ZipFile, end: Buffer, large: Directory): Directory {
  const small = directoryOf(zip, end)
  const agrees = (name: keyof Directory, full: number) =>
    small[name] === large[name] || small[name] === full
  if (agrees('count', 0xffff) && agrees('size', 0xffffffff) && agrees('start', 0xffffffff))
    return large
  throw refuseZip(zip.file, 'has two ends that say different things')
}
