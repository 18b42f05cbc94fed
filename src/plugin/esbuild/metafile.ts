import native, { resolve } from 'node:path'
import type { Emitted } from '../../emit/emit.js'
import { emittedPath } from '../../tree/system-path.js'
import { globToRegExp } from './names.js'
import type { EsbuildPlace } from './place.js'
import type { Metafile, MetafileOutput } from './types.js'

type Folders = Pick<EsbuildPlace, 'root' | 'dir'>

/** How the metafile names a file of the output. */
export const keyOf = (path: string, { root, dir }: Folders, system = native): string =>
  emittedPath(system.relative(root, system.join(dir, path)), system)

/** Path of what the metafile names, below the output folder. */
export const pathOf = (key: string, { root, dir }: Folders, system = native): string =>
  emittedPath(system.relative(dir, system.resolve(root, key)), system)

/**
 * Finds out which chunks are entries. The metafile also calls a chunk that is only loaded later one; but what cannot be
 * told to be no entry is one, for others stay as they are, unchecked by whoever loads them.
 * @param resolved what the names that were asked for turned out to be, as far as that is known
 */
export function createIsEntry(
  { outputs }: Metafile,
  { root, entryPoints, stdin }: EsbuildPlace,
  resolved: ReadonlyMap<string, string>,
): (key: string) => boolean {
  const [globs, names] = [true, false].map((wanted) =>
    entryPoints.filter((name) => name.includes('*') === wanted),
  )
  const patterns = globs!.map((glob) => globToRegExp(emittedPath(resolve(root, glob))))
  const isKnown = names!.every((name) => resolved.has(nameOf(name)))
  const given = new Set(resolved.values())
  if (stdin !== undefined) given.add(stdin)
  const lazy = new Set(
    Object.values(outputs)
      .flatMap(({ imports }) => imports)
      .flatMap(({ kind, path }) => (kind === 'dynamic-import' ? path : [])),
  )
  const isGiven = (source: string) =>
    [source, resolve(root, source)].some((name) => given.has(name)) ||
    patterns.some((pattern) => pattern.test(emittedPath(resolve(root, source))))
  return (key) => {
    const { entryPoint } = outputs[key] ?? {}
    if (entryPoint === undefined) return false
    return !lazy.has(key) || !isKnown || isGiven(entryPoint)
  }
}

/** An entry point's name, which esbuild also writes with `./` where there is such a file. */
export const nameOf = (entryPoint: string): string => entryPoint.replace(/^\.\//, '')

/** Paths of built files by the sources that they were built from, which are what pages may name. */
export function builtFrom({ outputs }: Metafile, place: EsbuildPlace): Map<string, string> {
  return new Map(
    Object.entries(outputs).flatMap(([key, { entryPoint }]) =>
      entryPoint === undefined
        ? []
        : [[resolve(place.root, entryPoint), pathOf(key, place)] as const],
    ),
  )
}

/** Tells in the metafile what became of the output, so that who reads it finds what is there. */
export function editMetafile(
  { outputs }: Metafile,
  sizes: ReadonlyMap<string, number>,
  { entries, changed }: Emitted,
  place: EsbuildPlace,
): void {
  for (const { path, from, main } of entries) moveEntry(outputs, place, path, from, main)
  for (const path of changed.keys()) {
    const size = sizes.get(path)
    const key = keyOf(path, place)
    if (size !== undefined) outputs[key] = { ...none, ...outputs[key], bytes: size }
  }
}

/** What there is to tell of a file that is nobody's chunk. */
export const none: MetafileOutput = { imports: [], exports: [], inputs: {}, bytes: 0 }

/** The main chunk is what was the entry, for those that import it too; the bootstrap loads it, and exports the same. */
function moveEntry(
  outputs: Metafile['outputs'],
  place: EsbuildPlace,
  path: string,
  from: string,
  main: string,
): void {
  const [bootstrap, old, moved] = [path, from, main].map((name) => keyOf(name, place)) as [
    string,
    string,
    string,
  ]
  const { entryPoint, cssBundle, ...chunk } = outputs[old]!
  delete outputs[old]
  const map = outputs[`${old}.map`]
  if (map) {
    delete outputs[`${old}.map`]
    outputs[`${moved}.map`] = map
  }
  for (const { imports } of Object.values(outputs))
    for (const item of imports) if (item.path === old) item.path = moved
  outputs[moved] = chunk
  outputs[bootstrap] = {
    ...none,
    imports: [{ path: moved, kind: 'dynamic-import' }],
    exports: chunk.exports,
    ...(entryPoint === undefined ? {} : { entryPoint }),
    ...(cssBundle === undefined ? {} : { cssBundle }),
  }
}
