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

/** Finds the calls by which helpers in a module put links into the page. */
export const findLinkCalls = (code: string): LinkCall[] =>
  [...code.matchAll(linkCall)].map(({ 0: { length }, index }) => [index, index + length])

/** The addresses of stylesheets that a module has helpers link. */
export function listStyles(code: string): string[] {
  if (!code.includes('__vite__mapDeps')) return []
  const texts = [...code.matchAll(lists)].flatMap(([list]) => list.match(styleText) ?? [])
  return texts.map((text) => (JSON.parse(text) as string).replace(/[?#].*$/s, ''))
}

const styleText = /"(?:[^"\\]|\\.)*\.css(?:\?[^"\\]*)?"/g

/**
 * Makes sure that every helper of an output was found, where one has stylesheets to link.
 * @param modules texts by path, as the bundler wrote them
 * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT`
 */
export function refuseUnknownHelpers(modules: ReadonlyMap<string, string>): void {
  const [lister] = [...modules].find(([, code]) => listStyles(code).length > 0) ?? []
  if (lister === undefined) return
  const counts = [...modules].map(([path, code]) => {
    const found = findLinkCalls(code).length
    return { path, found, isKnown: found === (code.match(helperEvent) ?? []).length }
  })
  const unknown = counts.find(({ isKnown }) => !isKnown)
  if (!unknown && counts.some(({ found }) => found > 0)) return
  throw new SignedImpError(
    'ERR_SIGNEDIMP_OUTPUT',
    "loads stylesheets later in a way that signedimp does not know, so that nothing would check them; set build.cssCodeSplit to false, or do without what rewrites Vite's preload helper",
    { path: unknown?.path ?? lister },
  )
}
