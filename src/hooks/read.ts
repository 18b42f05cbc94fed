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
  const fd = open(file)
  if (fd === undefined) return undefined
  try {
    const { mode, size } = node.fstatSync(fd)
    if ((mode & S_IFMT) !== S_IFREG || size > maxBytes) return undefined
    return node.readFileSync(fd, asBytes)
  } finally {
    node.closeSync(fd)
  }
}

/** Whether there is anything: a runtime waits for what is written into a pipe, too. @throws what the system says */
export function isThere(file: string): boolean {
  const fd = open(file)
  if (fd !== undefined) node.closeSync(fd)
  return fd !== undefined
}

function open(file: string): number | undefined {
  try {
    return node.openSync(file, O_RDONLY | O_NONBLOCK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined
    throw error
  }
}
