import { readSync } from 'node:fs'
import { SignedImpError } from '../../errors.js'

/** A zip file that is open. */
export interface ZipFile {
  /** Its path, for messages. */
  file: string
  descriptor: number
  size: number
}

/** Reads some bytes of a zip file. @throws SignedImpError `ERR_SIGNEDIMP_ZIP` where there are fewer */
export function readAt({ file, descriptor, size }: ZipFile, start: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  if (start < 0 || start + length > size || readSync(descriptor, bytes, 0, length, start) < length)
    throw refuseZip(file, 'is cut off, or says that more is in it than there is')
  return bytes
}

/** A zip file that is not read on, because two readers could read it differently. @param path of the zip file, or in it */
export const refuseZip = (path: string, reason: string): SignedImpError =>
  new SignedImpError('ERR_SIGNEDIMP_ZIP', `${reason}; make the zip file anew`, { path })

/** A 64-bit number; one that is no safe integer is larger than any file, and refused as such. */
export const readUInt64 = (bytes: Buffer, at: number): number => Number(bytes.readBigUInt64LE(at))
