import { existsSync, lstatSync, readdirSync, type BigIntStats } from 'node:fs'
import { fromUtf8 } from '../crypto/bytes.js'
import { SignedImpError } from '../errors.js'
import { comparePaths, isPath } from '../manifest/path.js'

/** What stands in a folder and all folders below it. */
export interface Folder {
  /** By path, in a manifest's order: a stamp that changes when the file is written, replaced or moved. */
  files: Map<string, string>
  /** By path: why this is nothing that a manifest can list. */
  refused: Map<string, string>
}

/** Lists a folder, dotfiles included; follows no link. */
export async function walk(dir: string): Promise<Folder> {
  const folder: Folder = { files: new Map(), refused: new Map() }
  enter(dir, '', folder)
  const sorted = (map: Map<string, string>) =>
    new Map([...map].sort(([a], [b]) => comparePaths(a, b)))
  return { files: sorted(folder.files), refused: sorted(folder.refused) }
}

/** Lists a folder as {@link walk} does; one that is not there is empty. */
export async function walkIfThere(dir: string): Promise<Folder> {
  return existsSync(dir) ? walk(dir) : { files: new Map(), refused: new Map() }
}

/** Synchronous: asking for one file at a time in a thread of the pool takes three times as long. */
function enter(dir: string, prefix: string, folder: Folder): void {
  // As bytes: a name that is not UTF-8 would come out as some other file's name.
  const names = orIfGone(prefix !== '', [], () => readdirSync(dir, { encoding: 'buffer' }))
  for (const bytes of names) {
    const name = decodeName(bytes)
    const path = prefix + (name ?? bytes.toString())
    if (name === undefined) folder.refused.set(path, 'its name is not UTF-8')
    else visit(`${dir}/${name}`, path, folder)
  }
}

function visit(file: string, path: string, folder: Folder): void {
  const stats = orIfGone(true, undefined, () => lstatSync(file, { bigint: true }))
  if (stats?.isDirectory()) return enter(file, path + '/', folder)
  const reason = stats && reasonToRefuse(stats, path)
  if (reason) folder.refused.set(path, reason)
  // A file that went away since its folder was read gets a stamp that no file has.
  else folder.files.set(path, stats ? stamp(stats) : 'gone')
}

function reasonToRefuse(stats: BigIntStats, path: string): string | undefined {
  if (stats.isSymbolicLink()) return 'is a symbolic link; put the file itself there'
  if (!stats.isFile()) return 'is no regular file'
  if (!isPath(path))
    return 'its name cannot stand in a manifest (control or direction characters, backslash, or not NFC); rename it'
  return undefined
}

/** The time of the last change of status is there because anybody can set the time of the last write. */
export const stamp = ({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  `${ino} ${size} ${mtimeNs} ${ctimeNs}`

/** What goes away while the folder is listed is found out by listing it again, in {@link whileStill}. */
function orIfGone<T>(allowed: boolean, none: T, look: () => T): T {
  try {
    return look()
  } catch (error) {
    if (allowed && (error as NodeJS.ErrnoException).code === 'ENOENT') return none
    throw error
  }
}

function decodeName(bytes: Uint8Array): string | undefined {
  try {
    return fromUtf8(bytes)
  } catch {
    return undefined
  }
}

/**
 * Does `work` on a folder and looks at the folder again: what `work` read is then what stands there.
 * @throws {@link SignedImpError} `ERR_SIGNEDIMP_LATE_WRITE` when a file came, went or changed meanwhile
 */
export async function whileStill<T>(dir: string, work: (folder: Folder) => Promise<T>): Promise<T> {
  const before = await walk(dir)
  const [outcome] = await Promise.allSettled([work(before)])
  // First, because a file that moved explains why the work failed.
  refuseChange(before, await walk(dir))
  if (outcome.status === 'rejected') throw outcome.reason
  return outcome.value
}

function refuseChange(before: Folder, after: Folder): void {
  const [was, is] = [before, after].map(({ files, refused }) => new Map([...files, ...refused]))
  for (const path of new Set([...was!.keys(), ...is!.keys()])) {
    if (was!.get(path) === is!.get(path)) continue
    const reason = 'changed while the folder was read; wait until nothing writes there any more'
    throw new SignedImpError('ERR_SIGNEDIMP_LATE_WRITE', reason, { path })
  }
}

/**
 * Refuses a folder that holds anything a manifest cannot list.
 * @throws {@link SignedImpError} `ERR_SIGNEDIMP_PATH` with the first name
 */
export function refuseStrays({ refused }: Folder): void {
  for (const [path, reason] of refused)
    throw new SignedImpError('ERR_SIGNEDIMP_PATH', reason, { path })
}
