/** Addons: the system opens them by name, so that it is given a name that leads to the bytes that were checked. */
import { constants, chmodSync, mkdtempSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { apply, getOf, hasIn, node, setIn } from './captured.js'
import { check, type Judge } from './judge.js'

type Dlopen = (this: unknown, ...args: [module: object, file: string, ...rest: unknown[]]) => void

/** By the path by which a copy of checked bytes is opened: the file that it is a copy of. */
const copies = new Map<string, string>()

/** Whether a path leads to bytes that were checked: Deno opens addons by what `require` opens them by, and asks again. */
export const isCopy = (file: string): boolean => hasIn(copies, file)

/** Replaces `process.dlopen`, by which `require` opens addons too. */
export function guardAddons(judge: Judge): void {
  const { dlopen } = process as unknown as { dlopen: Dlopen }
  const opened = new Map<string, string>()
  const folder = tmpdir()
  const guarded: Dlopen = function (...args) {
    const file = node.resolve(args[1])
    const checked = check(judge, file)
    // What was checked is what is opened, whatever the program says that its folder is.
    args[1] = file
    if (checked) {
      const copy = getOf(opened, file) ?? keep(checked.bytes, folder)
      setIn(opened, file, copy)
      setIn(copies, copy, file)
      args[1] = copy
    }
    apply(dlopen, process, args)
  }
  Object.assign(process, { dlopen: guarded })
}

/** Bytes that nobody else can change, and the path by which they are opened. */
const keep = (bytes: Buffer, folder: string): string =>
  keepWithoutName(bytes, folder) ?? keepInPrivate(bytes, folder)

// Linux, as the kernel spells it: an inode without a name, which nobody but this process can reach.
const O_TMPFILE = 0o20200000

/**
 * The file stays open: its number is its name, and the system takes a name that it knows for the library that it knows
 * by it, whatever the bytes.
 */
function keepWithoutName(bytes: Buffer, folder: string): string | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    const fd = node.openSync(folder, constants.O_RDWR | O_TMPFILE, 0o700)
    for (let at = 0; at < bytes.length;) at += write(fd, bytes, at)
    return `/proc/self/fd/${fd}`
  } catch {
    return undefined
  }
}

const write = writeSync as (fd: number, bytes: Buffer, offset: number) => number

/** In a folder of this user alone. It is removed at the end, where the system lets go of it. */
function keepInPrivate(bytes: Buffer, folder: string): string {
  const own = mkdtempSync(join(folder, 'signedimp-'))
  chmodSync(own, 0o700)
  process.on('exit', () => rmSync(own, { recursive: true, force: true }))
  const file = join(own, 'addon.node')
  writeFileSync(file, bytes, { mode: 0o500, flag: 'wx' })
  return file
}
