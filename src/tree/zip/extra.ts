import { readUInt64, refuseZip } from './file.js'

/**
 * Extra fields that change nothing of what a file is called or holds: Zip64; dates, users and groups (NTFS, Unix, Info-ZIP).
 * Among others, one gives an entry a second name (0x7075), and one says that it is encrypted (0x9901).
 */
const zip64 = 1
const known = new Set([zip64, 0x000a, 0x5455, 0x5855, 0x7855, 0x7875])

/** Where in extra fields the numbers of the Zip64 field are (APPNOTE.TXT, section 4.5.3), if it is there. */
export function findZip64(
  extra: Buffer,
  path: string,
): { start: number; length: number } | undefined {
  let found: { start: number; length: number } | undefined
  const seen = new Set<number>()
  for (let at = 0; at < extra.length;) {
    if (at + 4 > extra.length) throw refuseZip(path, 'has an extra field that is cut off')
    const [id, length] = [extra.readUInt16LE(at), extra.readUInt16LE(at + 2)]
    const next = at + 4 + length
    if (next > extra.length) throw refuseZip(path, 'has an extra field that is cut off')
    if (!known.has(id) || seen.has(id))
      throw refuseZip(path, `has an extra field 0x${id.toString(16)} that may change its meaning`)
    seen.add(id)
    if (id === zip64) found = { start: at + 4, length }
    at = next
  }
  return found
}

/**
 * Numbers that have 32 bits, or stand in the Zip64 field where all of these are set: there are those, in this order, and
 * nothing else.
 * @returns each number, and where it stands in `extra` if it does
 */
export function widen(
  numbers: readonly number[],
  extra: Buffer,
  path: string,
): { value: number; at: number | undefined }[] {
  const field = findZip64(extra, path)
  let at = field?.start ?? 0
  const wide = numbers.filter((number) => number === 0xffffffff).length
  if ((field?.length ?? 0) !== wide * 8 || (field && wide === 0))
    throw refuseZip(path, 'has a Zip64 field that its header does not ask for, or lacks one')
  return numbers.map((number) => {
    if (number !== 0xffffffff) return { value: number, at: undefined }
    at += 8
    return { value: readUInt64(extra, at - 8), at: at - 8 }
  })
}
