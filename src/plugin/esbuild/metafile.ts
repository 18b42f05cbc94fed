import native, { resolve } from 'node:path'
import type { Emitted } from '../../emit/release.js'
import type { Output } from '../../emit/output.js'
import { emittedPath } from '../../tree/system-path.js'
import type { EsbuildPlace } from './place.js'
import type { Metafile, MetafileOutput } from './types.js'

type Folders = Pick<EsbuildPlace, 'root' | 'dir'>

/** How the metafile names a folder, with a slash behind it, or `''` for the working directory itself. */
export function prefixOf({ root, dir }: Folders, system = native): string {
  const folder = emittedPath(system.relative(root, dir), system)
  return folder && `${folder}/`
}

/** How the metafile names a file of the output. */
export const keyOf = (path: string, { prefix }: Pick<EsbuildPlace, 'prefix'>): string =>
  prefix + path

/** Path of what the metafile names, below the output folder. */
export const pathOf = (key: string, { root, dir }: Folders, system = native): string =>
  emittedPath(system.relative(dir, system.resolve(root, key)), system)

/**
 * Finds out which chunks are entries. The metafile also calls a chunk that is only loaded later one; but that is believed
 * only where all that was asked for is found among the others: else every one of them is an entry, for what is none
 * stays as it is, unchecked by whoever loads it.
 * @param resolved what the names that were asked for turned out to be, as far as that is known
 */
export function createIsEntry(
  { outputs }: Metafile,
  { root, entryPoints, stdin }: EsbuildPlace,
  resolved: ReadonlyMap<string, string>,
): (key: string) => boolean {
  const sources = Object.values(outputs).flatMap(({ entryPoint }) => entryPoint ?? [])
  const given = new Set(resolved.values())
  const isKnown = isAllFound(entryPoints, resolved, new Set(sources.flatMap(both)))
  if (stdin !== undefined) given.add(stdin)
  const lazy = lazyIn(outputs)
  /** By the name that the metafile has, and as a file. */
  function both(source: string): string[] {
    return [source, resolve(root, source)]
  }
  return (key) => {
    const { entryPoint } = outputs[key] ?? {}
    if (entryPoint === undefined) return false
    return !lazy.has(key) || !isKnown || both(entryPoint).some((name) => given.has(name))
  }
}

/**
 * Whether each entry point was resolved to something that was built under the same name. Patterns are not: the files
 * that they find may be links to others, whose names the metafile has.
 */
const isAllFound = (
  entryPoints: readonly string[],
  resolved: ReadonlyMap<string, string>,
  built: ReadonlySet<string>,
): boolean =>
  // esbuild asks for a file with a dot in front.
  entryPoints.every((name) => resolved.has(name) || resolved.has(`./${name}`)) &&
  [...resolved.values()].every((source) => built.has(source))

const lazyIn = (outputs: Metafile['outputs']): Set<string> =>
  new Set(
    Object.values(outputs)
      .flatMap(({ imports }) => imports)
      .flatMap(({ kind, path }) => (kind === 'dynamic-import' ? path : [])),
  )

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
  output: Output,
  { entries, changed }: Emitted,
  place: EsbuildPlace,
): void {
  for (const entry of entries) {
    const [path, from, main] = [entry.path, entry.from, entry.main].map((name) =>
      keyOf(name, place),
    ) as [string, string, string]
    moveEntry(outputs, { path, from, main })
  }
  for (const path of changed.keys()) {
    const source = output.get(path)?.source
    const key = keyOf(path, place)
    if (source !== undefined)
      outputs[key] = { ...none, ...outputs[key], bytes: Buffer.byteLength(source) }
  }
}

/** What there is to tell of a file that is nobody's chunk. */
export const none: MetafileOutput = { imports: [], exports: [], inputs: {}, bytes: 0 }

/** Names of the metafile: of an entry's file, of what that was before, and of its main chunk. */
interface MovedEntry {
  path: string
  from: string
  main: string
}

/** The main chunk is what was the entry, for those that import it too; the bootstrap loads it, and exports the same. */
function moveEntry(outputs: Metafile['outputs'], { path, from, main }: MovedEntry): void {
  const { entryPoint, cssBundle, ...chunk } = outputs[from]!
  rename(outputs, `${from}.map`, `${main}.map`)
  rename(outputs, from, main)
  for (const { imports } of Object.values(outputs))
    for (const item of imports) if (item.path === from) item.path = main
  outputs[main] = chunk
  outputs[path] = {
    ...none,
    imports: [{ path: main, kind: 'dynamic-import' }],
    exports: chunk.exports,
    ...(entryPoint === undefined ? {} : { entryPoint }),
    ...(cssBundle === undefined ? {} : { cssBundle }),
  }
}

function rename(outputs: Metafile['outputs'], from: string, to: string): void {
  const file = outputs[from]
  delete outputs[from]
  if (file) outputs[to] = file
}
