import { crc32, deflateRawSync } from 'node:zlib'

/** What a header of an entry says. */
export interface Fields {
  flags: number
  method: number
  time: number
  crc: number
  compressedSize: number
  size: number
  name: Buffer
  extra: Buffer
  /** Of the directory alone. */
  comment: Buffer
  attributes: number
  part: number
  start: number
}

/** An entry of a zip file, and where its headers do not tell the truth. */
export interface Crafted {
  name: string | Buffer
  data?: string | Buffer
  method?: number
  flags?: number
  /** The bytes that stand in the file, where they are not those that `method` gives. */
  stored?: Buffer
  local?: Partial<Fields>
  central?: Partial<Fields>
  /** Bytes before its local header, and behind its data: a data descriptor, or what does not belong there. */
  before?: Buffer
  behind?: Buffer
  /** Whether one of the two headers is left out. */
  without?: 'local' | 'central'
}

/** What the end of a zip file says, and what stands around it. */
export interface CraftedEnd {
  /** Before the first entry; places are given as if it were not there, unless `counted`. */
  prefix?: Buffer
  counted?: boolean
  /** Between the directory and the end. */
  middle?: (directory: { start: number; size: number; count: number }) => Buffer
  /** Changes what the end says. */
  end?: (end: Buffer) => void
  suffix?: Buffer
}

/** A header: numbers of so many bytes. */
export function packed(...numbers: [value: number, bytes: 2 | 4 | 8][]): Buffer {
  const pieces = numbers.map(([value, bytes]) => {
    const piece = Buffer.alloc(8)
    piece.writeBigUInt64LE(BigInt(value))
    return piece.subarray(0, bytes)
  })
  return Buffer.concat(pieces)
}

/** A data descriptor that tells the truth, or says that what it describes has these. */
export function descriptor(
  data: string,
  change: { crc?: number; compressedSize?: number; size?: number } = {},
  width: 4 | 8 = 4,
): Buffer {
  const bytes = Buffer.from(data)
  const { crc = crc32(bytes), size = bytes.length } = change
  const { compressedSize = deflateRawSync(bytes).length } = change
  return packed([0x08074b50, 4], [crc, 4], [compressedSize, width], [size, width])
}

/** An extra field. */
export const extraField = (id: number, bytes: Buffer): Buffer =>
  Buffer.concat([packed([id, 2], [bytes.length, 2]), bytes])

/** Makes a zip file: an honest one, but for what entries and the end say otherwise. */
export function craftZip(entries: readonly Crafted[], around: CraftedEnd = {}): Buffer {
  const { prefix = Buffer.alloc(0), counted = false, suffix = Buffer.alloc(0) } = around
  const pieces: Buffer[] = []
  const records: Buffer[] = []
  let at = counted ? prefix.length : 0
  for (const entry of entries) {
    const { before = Buffer.alloc(0), behind = Buffer.alloc(0), without } = entry
    const { fields, stored } = truthOf(entry)
    const start = at + before.length
    const header = without === 'local' ? Buffer.alloc(0) : localOf({ ...fields, ...entry.local })
    if (without !== 'central') records.push(centralOf({ ...fields, start, ...entry.central }))
    const piece = Buffer.concat([before, header, without === 'local' ? header : stored, behind])
    pieces.push(piece)
    at += piece.length
  }
  const directory = { start: at, size: Buffer.concat(records).length, count: records.length }
  const end = endOf(directory)
  around.end?.(end)
  const middle = around.middle?.(directory) ?? Buffer.alloc(0)
  return Buffer.concat([prefix, ...pieces, ...records, middle, end, suffix])
}

function truthOf({ name, data = '', method = 0, flags = 0, ...rest }: Crafted) {
  const bytes = Buffer.from(data as string)
  const stored = rest.stored ?? (method === 8 ? deflateRawSync(bytes) : bytes)
  const fields: Fields = {
    flags,
    method,
    time: 0x00210000,
    crc: crc32(bytes),
    compressedSize: stored.length,
    size: bytes.length,
    name: Buffer.from(name as string),
    extra: Buffer.alloc(0),
    comment: Buffer.alloc(0),
    attributes: 0,
    part: 0,
    start: 0,
  }
  return { fields, stored }
}

const commonOf = (of: Fields): [number, 2 | 4][] => [
  [20, 2],
  [of.flags, 2],
  [of.method, 2],
  [of.time, 4],
  [of.crc, 4],
  [of.compressedSize, 4],
  [of.size, 4],
  [of.name.length, 2],
  [of.extra.length, 2],
]

const localOf = (of: Fields): Buffer =>
  Buffer.concat([packed([0x04034b50, 4], ...commonOf(of)), of.name, of.extra])

const centralOf = (of: Fields): Buffer =>
  Buffer.concat([
    packed(
      [0x02014b50, 4],
      [20, 2],
      ...commonOf(of),
      [of.comment.length, 2],
      [of.part, 2],
      [0, 2],
      [of.attributes, 4],
      [of.start, 4],
    ),
    of.name,
    of.extra,
    of.comment,
  ])

const endOf = ({ start, size, count }: Record<'start' | 'size' | 'count', number>): Buffer =>
  packed([0x06054b50, 4], [0, 4], [count, 2], [count, 2], [size, 4], [start, 4], [0, 2])

/** A Zip64 end with its locator. */
export const end64 = (
  { start, size, count }: Record<'start' | 'size' | 'count', number>,
  at = start + size,
): Buffer =>
  packed(
    [0x06064b50, 4],
    [44, 8],
    [45, 2],
    [45, 2],
    [0, 8],
    [count, 8],
    [count, 8],
    [size, 8],
    [start, 8],
    [0x07064b50, 4],
    [0, 4],
    [at, 8],
    [1, 4],
  )
