/** Reading a file once: what is hashed is what is handed over, whatever becomes of the file. */
import { constants } from 'node:fs'
import { freeze, node } from './captured.js'

const { O_RDONLY, O_NONBLOCK = 0, S_IFMT, S_IFREG } = constants

// Whatever options all objects seem to have.
const asBytes = freeze({ __proto__: null, encoding: null, flag: 'r' })

/** Most bytes of a file of a program. */
export const maxFileBytes = 1 << 30

/**
 * The bytes of a file, or undefined where there is none, or something that may never end: a pipe, a device.
 * @throws what the system says of a file that is there and cannot be read
 */
export function readWhole(file: string, maxBytes: number = maxFileBytes): Buffer | undefined {
  let fd: number
  try {
    fd = node.openSync(file, O_RDONLY | O_NONBLOCK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined
    throw error
  }
  try {
    const { mode, size } = node.fstatSync(fd)
    if ((mode & S_IFMT) !== S_IFREG || size > maxBytes) return undefined
    return node.readFileSync(fd, asBytes)
  } finally {
    node.closeSync(fd)
  }
}
