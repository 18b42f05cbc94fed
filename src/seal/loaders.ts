/** Classic scripts that load code by themselves, which no tag and no import map checks. */
import { judgeTag, nameOfInline } from '../emit/judge.js'
import { codeOf, type Output, type Uncovered } from '../emit/output.js'
import type { Tag } from '../emit/tags.js'
import { readImports } from './lexer.js'

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
export async function findLoaders(
  tags: readonly Tag[],
  output: Output,
  resolve: (reference: string) => string | undefined,
): Promise<Uncovered[]> {
  const found: Uncovered[] = []
  const isModule = (path: string) => output.get(path)!.isModule
  for (const tag of tags.filter(({ name }) => name === 'script')) {
    const action = judgeTag(tag, { resolve, isModule })
    const path = action.kind === 'check' ? action.path : undefined
    if (path === undefined && (action.kind !== 'after' || tag.attributes.has('src'))) continue
    const reason = await reasonAgainst(path === undefined ? tag.text : codeOf(output.get(path)!))
    if (reason !== undefined)
      found.push({ name: tag.attributes.get('src') ?? nameOfInline(tag), reason })
  }
  return found
}

async function reasonAgainst(code: string): Promise<string | undefined> {
  const [runtime] = runtimes.find(([, pattern]) => pattern.test(code)) ?? []
  if (runtime !== undefined)
    return `a classic script with ${runtime}, which loads others unchecked: build ES modules`
  const imports = await readImports(code)
  const isImporting = imports && (imports.isOpen || imports.named.length > 0)
  return isImporting
    ? `a classic script ("${code.trim().slice(0, 40)}") that imports modules before anything is checked`
    : undefined
}
