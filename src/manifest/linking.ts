/** How the modules that a manifest lists are made to find one another where relative names are not enough. */
import type { StaticImport } from './format.js'

/** What the plugin writes into a module bootstrap: an entry that says itself what it is, because no page of ours does. */
export interface Entry {
  /** The path of the file that it stands in. */
  path: string
  /** The URL of the output, if the build knew it; else it is found by the file's own. */
  base: string
  name: string
  build?: number
  /** Paths of the entry's manifest and main chunk. */
  manifest: string
  main: string
  /** Path of the runtime for import maps; absent where modules import one another by relative names. */
  late?: string
  /** Path of the runtime that links in memory. */
  blob: string
  /** What a late map will surely load: paths, with integrity metadata. */
  preload: [path: string, integrity: string][]
  /** Where refusals are reported to, if anywhere. */
  report?: string
}

/** A module and all that it imports statically, itself first. */
export function closureOf(imports: ReadonlyMap<string, StaticImport[]>, path: string): Set<string> {
  const closure = new Set([path])
  for (const from of closure) for (const to of imports.get(from) ?? []) closure.add(to.path)
  return closure
}

const scheme = 's:'

/**
 * What stands in a module's text for a static import, where the module form of the bootstrap can map it: a URL of no
 * scheme that anybody serves. Unlike a relative one it means the same wherever a redirect leads, and without the map it
 * means nothing. It is as long as what the bundler wrote, and ends like the path, so that offsets and columns stay.
 */
export const aliasOf = ({ start, end, path }: StaticImport): string =>
  scheme + path.padStart(end - start - scheme.length, '/').slice(start - end + scheme.length)

/** Where in a module's text the declaration begins that holds the specifier at `start`. */
export const declarationStart = (text: string, start: number): number =>
  /(?:.*[^\w$.])?(?=(?:import|export)(?![\w$]))/s.exec(text.slice(0, start))?.[0].length ?? start

/**
 * Path of the file that stands in for a module where modules import one another in a circle and are linked in memory:
 * it has the same exports, and one more, {@link updateName}, which is told what they are.
 */
export const standInOf = (path: string): string => path.replace(/\.m?js$/, '.circular$&')

/**
 * What static imports add to URLs where tags check modules: a fragment, so that each is a module that nothing else in the
 * page asks for. It is no secret, so that no module may be loaded before whose imports could end in it.
 */
export const tagKey = '#tag'

/** No bundler exports this name. */
export const updateName = 'signedimp:update'

/** Puts a line last in a module, but before what must stay last: the comments that name the source map and the debug id. */
export function insertLast(code: string, line: string): string {
  // Not as a pattern that may be empty: that would be tried at every character, for ten times as long.
  const found = code.search(/(\n\/\/# (sourceMappingURL|debugId)=[^\n]*)+\s*$/)
  const at = found < 0 ? code.length : found
  return `${code.slice(0, at)}\n;${line}${code.slice(at) || '\n'}`
}

/** JSON with bare member names, which no value contains: how the plugin writes an {@link Entry} into a module bootstrap. */
export const toLiteral = (value: unknown): string =>
  JSON.stringify(value).replace(/"(\w+)":/g, '$1:')

const json = '"(?:[^"\\\\]|\\\\.)*"'
const entryLiteral = new RegExp(
  `\\{path:(${json}),base:${json},name:${json},(?:build:\\d+,)?manifest:${json},main:(${json}),`,
)

/** The path of the main chunk, where `code` is the module bootstrap of the entry at `path`. */
export function mainOf(path: string, code: string): string | undefined {
  const [, own, main] = entryLiteral.exec(code) ?? []
  return own !== undefined && JSON.parse(own) === path ? JSON.parse(main!) : undefined
}
