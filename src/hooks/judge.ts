/** The one judge of what may run: which file of which root it is, and whether it has the signed bytes. */
import { refusal } from '../manifest/refusal.js'
import {
  getOf,
  hasIn,
  indexOf,
  node,
  pushTo,
  removeAt,
  replaceAll,
  slice,
  startsWith,
} from './captured.js'
import { readWhole } from './read.js'
import { realPath } from './real-path.js'
import type { Root } from './root.js'

/** A file of a root. */
export interface Place {
  root: Root
  /** As the manifest spells it. */
  path: string
}

/** What is handed to the runtime: the very bytes that were hashed. */
export interface Checked extends Place {
  bytes: Buffer
}

/** What may run. */
export interface Policy {
  /** Files in `node_modules` folders outside of all roots run as they are, if somebody chose that. */
  nodeModules: 'refused' | 'unverified'
}

/** The roots of a program, and what may run besides. */
export interface Judge {
  readonly roots: Root[]
  readonly policy: Policy
}

/** The root that a file is in, and its path there. @param file absolute, through no link */
export function placeOf({ roots }: Judge, file: string): Place | undefined {
  for (let at = 0; at < roots.length; at++) {
    const root = roots[at]!
    if (startsWith(file, root.folder))
      return { root, path: toPath(slice(file, root.folder.length)) }
  }
  return undefined
}

/** The place of a file, by its path as somebody spells it. */
export const locate = (judge: Judge, file: string): Place | undefined =>
  placeOf(judge, file) ?? throughLinks(judge, file)

/** A place whose root is reached through a link, such as `current -> releases/41`; links inside of roots lead nowhere. */
function throughLinks({ roots }: Judge, file: string): Place | undefined {
  let folder = node.dirname(file)
  let last = ''
  while (folder !== last) {
    const real = realPath(folder)
    for (let at = 0; at < roots.length; at++)
      if (real + node.sep === roots[at]!.folder)
        return placeOf({ roots } as Judge, real + slice(file, folder.length))
    last = folder
    folder = node.dirname(folder)
  }
  return undefined
}

const toPath: (path: string) => string =
  node.sep === '/' ? (path) => path : (path) => replaceAll(path, node.sep, '/')

export const isListed = ({ root, path }: Place): boolean => hasIn(root.files, path)

/** Adds a root. @throws TypeError if it is in another one, or another one in it */
export function addTo(judge: Judge, root: Root): void {
  for (let at = 0; at < judge.roots.length; at++) {
    const { folder } = judge.roots[at]!
    if (startsWith(root.folder, folder) || startsWith(folder, root.folder))
      throw new TypeError(`"base" ${root.folder} shares files with the root ${folder}`)
  }
  pushTo(judge.roots, root)
}

/** Takes a root away. */
export function removeFrom(judge: Judge, folder: string): void {
  for (let at = 0; at < judge.roots.length; at++)
    if (judge.roots[at]!.folder === folder) removeAt(judge.roots, at)
}

/** What became of the roots. */
export type Change = { add: Root } | { remove: string }

/**
 * The bytes of a file that may run: undefined for one that runs as it is, by `nodeModules`.
 * @throws SignedImpError `…_UNLISTED`, `…_MISSING`, `…_CHANGED`
 */
export function check(judge: Judge, file: string): Checked | undefined {
  const place = locate(judge, file)
  if (place) return checkPlace(place)
  if (judge.policy.nodeModules === 'unverified' && isInNodeModules(node.resolve(file)))
    return undefined
  throw refusal('UNLISTED', 'in none of the signed folders', file)
}

/** @throws SignedImpError `…_UNLISTED`, `…_MISSING`, `…_CHANGED` */
export function checkPlace({ root, path }: Place): Checked {
  const wanted = getOf(root.files, path)
  if (wanted === undefined) throw refusal('UNLISTED', 'the manifest does not list it', path)
  const bytes = readWhole(root.folder + path)
  if (!bytes) throw refusal('MISSING', 'listed, and not there', path)
  if (!hasHash(root, path, bytes))
    throw refusal('CHANGED', 'other bytes than the signed ones', path)
  return { root, path, bytes }
}

/** Whether these are the bytes that were signed under a path. */
export const hasHash = ({ hash, files }: Root, path: string, bytes: Uint8Array): boolean =>
  node.hash(hash, bytes, 'hex') === getOf(files, path)

export const isInNodeModules = (file: string): boolean =>
  indexOf(file, `${node.sep}node_modules${node.sep}`, 0) >= 0
