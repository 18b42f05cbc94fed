/** Classic scripts that load code by themselves, which no tag and no import map checks. */
import { judgeTag, nameOfInline } from '../emit/judge.js'
import { codeOf, type Output, type Uncovered } from '../emit/output.js'
import type { Tag } from '../emit/tags.js'

/** What the runtimes of bundlers for classic scripts have in them: they add script elements for their chunks. */
const runtimes: [name: string, pattern: RegExp][] = [
  ['the runtime of Turbopack', /\bTURBOPACK\b/],
  [
    'the runtime of webpack or Rspack',
    /\b(webpackChunk|webpackJsonp|rspackChunk)|__webpack_require__\.[el]\b/,
  ],
  ['the runtime of Parcel', /\bparcelRequire/],
  ['a loader of System.register modules', /\bSystem\.(import|register)\b/],
  ['a loader of AMD modules', /\brequirejs\s*[.(=]/],
]

/** Classic scripts of a page that load code by themselves. @param resolve what a reference of the page means */
export function findLoaders(
  tags: readonly Tag[],
  output: Output,
  resolve: (reference: string) => string | undefined,
): Uncovered[] {
  const isModule = (path: string) => output.get(path)!.isModule
  return tags.flatMap((tag) => {
    const action = judgeTag(tag, { resolve, isModule })
    if (tag.name !== 'script' || (action.kind !== 'check' && action.kind !== 'after')) return []
    const code = action.kind === 'check' ? codeOf(output.get(action.path)!) : tag.text
    const [runtime] = runtimes.find(([, pattern]) => pattern.test(code)) ?? []
    if (runtime === undefined) return []
    const reason = `a classic script with ${runtime}, which loads others unchecked: build ES modules`
    return { name: tag.attributes.get('src') ?? nameOfInline(tag), reason }
  })
}
