/** Files that a page may get by `fetch` only as they are signed. */
import type { Release } from './emit.js'
import { lastSegment } from './graph.js'
import { codeOf, type Output, type OutputFile } from './output.js'

/**
 * The pattern of paths that are guarded: WebAssembly, and what the option `resources` names, but nothing that `unverified`
 * does. A page goes by it as the build does.
 */
export function guardedPattern({
  resources = false,
  unverified = [],
}: Partial<Pick<Release, 'resources' | 'unverified'>>): RegExp {
  const named = typeof resources === 'boolean' ? (resources ? ['.*'] : []) : resources.map(toSource)
  const left = unverified.length > 0 ? `(?!(?:${unverified.map(toSource).join('|')})$)` : ''
  return new RegExp(`^${left}(?:${['.*\\.[wW][aA][sS][mM]', ...named].join('|')})$`, 'u')
}

/** In a pattern, `*` stands for any characters but `/`. */
const toSource = (pattern: string): string =>
  pattern
    .split('*')
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'))
    .join('[^/]*')

/** Guarded files by the modules whose text names them: what an entry that starts by itself may fetch. */
export function findNamed(output: Output, guarded: readonly string[]): Map<string, string[]> {
  const named = new Map<string, string[]>()
  for (const file of output.values())
    if (file.isModule) named.set(file.path, namedIn(file, guarded))
  return named
}

/** Files whose name a text has in it, as it is or as URLs have it. */
export function namedIn(file: Pick<OutputFile, 'source'>, paths: readonly string[]): string[] {
  const text = codeOf(file)
  return paths.filter((path) => {
    const name = lastSegment(path)
    return text.includes(name) || text.includes(encodeURI(name))
  })
}
