/** Files that a page may get by `fetch` only as they are signed. */
import type { Release } from './release.js'
import { lastSegment } from './graph.js'
import type { RewrittenPage } from './html.js'
import { codeOf, isCode, isPage, type Output, type OutputFile, type Uncovered } from './output.js'

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

/**
 * Guarded files that classic scripts of pages name: these may run, and fetch, while the manifest is still on its way.
 */
export function findEarly(
  pages: readonly Pick<RewrittenPage, 'checked' | 'inline'>[],
  output: Output,
  guarded: readonly string[],
): Uncovered[] {
  const linked = new Set(pages.flatMap(({ checked }) => checked))
  const scripts = [
    ...[...linked].map((path) => output.get(path)!).filter(isScript),
    ...pages.flatMap(({ inline }) => inline.map((source) => ({ source }))),
  ]
  const fetched = guarded.filter((path) => /\.wasm$/i.test(path) || !(isCode(path) || isPage(path)))
  const early = new Set(scripts.flatMap((script) => namedIn(script, fetched)))
  return [...early].map((name) => ({ name, reason: isEarly }))
}

const isScript = ({ path, isModule }: OutputFile): boolean => !isModule && isCode(path)

const isEarly =
  'a classic script of a page names it, and may fetch it before anything is checked; make the script a module'

/** Files whose name a text has in it, as it is or as URLs have it. */
export function namedIn(file: Pick<OutputFile, 'source'>, paths: readonly string[]): string[] {
  const text = codeOf(file)
  return paths.filter((path) => {
    const name = lastSegment(path)
    return text.includes(name) || text.includes(encodeURI(name))
  })
}
