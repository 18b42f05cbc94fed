/**
 * Vite's preload helper, in the text of a finished module: it links the stylesheets of what `import()` loads, from lists
 * that Vite writes into the chunks that import.
 */
import { SignedImpError } from '../errors.js'

/** Where a text has the helper's call that puts a link into the page: start and end of the callee. */
export type LinkCall = readonly [start: number, end: number]

const callee = String.raw`\bdocument\s*\.\s*head\s*\.\s*appendChild\b`

/** The callee, from the call to what the same function says when the stylesheet does not come. No minifier changes either. */
const linkCall = new RegExp(
  `${callee}(?=\\s*\\(\\s*[\\w$]+\\s*\\)(?:(?!${callee})[^]){1,1000}?Unable to preload CSS for )`,
  'g',
)

/** What makes the event that an app may listen for: once in each helper. */
const helperEvent = /\bEvent\s*\(\s*["'`]vite:preloadError["'`]/g

/** The lists. Vite inserts them when all else is done. Vite 5.0 has another form than those that came after it. */
const lists = /(?<=\bm\.f=\[|\.viteFileDeps = \[)[^\]]*(?=\])/g

/** Changes the texts in the lists of a module. */
export const editLists = (code: string, edit: (list: string) => string): string =>
  code.includes('__vite__mapDeps') ? code.replace(lists, edit) : code

/** What a module has of the helper. */
export interface Preloads {
  /** The calls that put a link into the page. */
  calls: LinkCall[]
  /** Whether these are as many as there are helpers. */
  isKnown: boolean
  /** The addresses of stylesheets that helpers are to link for it. */
  styles: string[]
}

/** Finds what a module has of the helper. @param code as the bundler wrote it */
export function findPreloads(code: string): Preloads {
  const calls = [...code.matchAll(linkCall)].map(({ 0: { length }, index }): LinkCall => [
    index,
    index + length,
  ])
  const helpers = code.match(helperEvent) ?? []
  return { calls, isKnown: calls.length === helpers.length, styles: listStyles(code) }
}

function listStyles(code: string): string[] {
  if (!code.includes('__vite__mapDeps')) return []
  const texts = [...code.matchAll(lists)].flatMap(([list]) => list.match(styleText) ?? [])
  return texts.map((text) => (JSON.parse(text) as string).replace(/[?#].*$/s, ''))
}

const styleText = /"(?:[^"\\]|\\.)*\.css(?:\?[^"\\]*)?"/g

/**
 * Makes sure that every helper of an output was found, where one has stylesheets to link.
 * @param modules by path
 * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT`
 */
export function refuseUnknownHelpers(modules: ReadonlyMap<string, Preloads>): void {
  const all = [...modules]
  const [lister] = all.find(([, { styles }]) => styles.length > 0) ?? []
  if (lister === undefined) return
  const [unknown] = all.find(([, { isKnown }]) => !isKnown) ?? []
  if (unknown === undefined && all.some(([, { calls }]) => calls.length > 0)) return
  throw new SignedImpError(
    'ERR_SIGNEDIMP_OUTPUT',
    "loads stylesheets later in a way that signedimp does not know, so that nothing would check them; set build.cssCodeSplit to false, or do without what rewrites Vite's preload helper",
    { path: unknown ?? lister },
  )
}
