/** Inline scripts that bring modules: what they import goes through files, which can be checked like others. */
import MagicString from 'magic-string'
import { hashBytes } from '../crypto/node.js'
import { depthOf, findBaseElement } from '../emit/base-element.js'
import { escapeAttribute } from '../emit/escape.js'
import { isForeign } from '../emit/foreign.js'
import { hasHost, type Base, type Graph } from '../emit/graph.js'
import { typeOf } from '../emit/judge.js'
import { textOf, type OutputFile } from '../emit/output.js'
import { createRefer } from '../emit/pages.js'
import { findTags, type Tag } from '../emit/tags.js'
import { pathToRelativeUrl } from '../manifest/path.js'
import { waitForImports } from './inline-imports.js'
import { readImports } from './lexer.js'

/** A page without inline module scripts, and what these are now. */
export interface MovedScripts {
  html: string
  /** Texts by path. */
  files: Map<string, string>
}

/** Whether a tag is an inline module script that a page runs. */
export const isInlineModule = (tag: Tag): boolean =>
  tag.name === 'script' &&
  !tag.isSvg &&
  !tag.isInert &&
  typeOf(tag) === 'module' &&
  !tag.attributes.has('src')

/**
 * Moves the inline module scripts of a page to files beside it, where relative specifiers mean the same, and has its inline
 * classic scripts import through such a file. One that would be another program there stays, and is refused as such: it asks
 * for `import.meta`, or imports by a name that only its run tells where that would start elsewhere.
 */
export async function moveInlineModules(
  page: OutputFile,
  graph: Graph,
  base: Base,
): Promise<MovedScripts> {
  const html = textOf(page)
  const tags = findTags(html)
  const start = findBaseElement(page.path, tags)
  const place = { path: page.path, start, isElsewhere: start !== undefined || hasHost(base) }
  const text = new MagicString(html)
  const files = new Map<string, string>()
  /** Makes a file of a module that stands in the page. @returns a reference to it, if it can be one */
  const add = async (module: string): Promise<string | undefined> => {
    const code = await respell(module, place, graph)
    if (code === undefined) return undefined
    const name = `signedimp-inline-${hashBytes('sha256', code).slice(0, 16)}.js`
    const path = page.path.replace(/[^/]*$/, name)
    files.set(path, code)
    return createRefer(page.path, base, start)(path)
  }
  for (const tag of tags.filter(isInlineModule)) {
    const reference = await add(tag.text)
    if (reference !== undefined) replace(text, tag, reference)
  }
  const waiting = await waitForImports(text, html, tags)
  const reference = waiting && (await add(waiting.code))
  if (waiting && reference === undefined) return { html, files: new Map() }
  waiting?.insert(reference!)
  return { html: text.toString(), files }
}

interface Place {
  path: string
  start: string | undefined
  isElsewhere: boolean
}

/** The code with specifiers that mean from its file what they meant in the page. */
async function respell(code: string, place: Place, graph: Graph): Promise<string | undefined> {
  const imports = await readImports(code)
  if (!imports || imports.hasMeta || (imports.isOpen && place.isElsewhere)) return undefined
  const text = new MagicString(code)
  for (const { start, end, specifier } of imports.named) {
    const path = graph.resolve(place.path, specifier, place.start)
    if (path === undefined && !isForeign(specifier) && !specifier.startsWith('data:'))
      return undefined
    if (path === undefined) continue
    const other = '../'.repeat(depthOf(place.path, undefined)) + pathToRelativeUrl(path).slice(2)
    const spelled = other.startsWith('.') ? other : `./${other}`
    if (/["'`\\$]/.test(spelled)) return undefined
    text.overwrite(start, end, spelled)
  }
  return text.toString()
}

/**
 * Has a module come from a file. A block of data stays where it stood, for frameworks that expect as many scripts in the body
 * as they have written: React renders a whole page anew where one is missing.
 */
function replace(
  text: MagicString,
  { start: at, end: behind, inside }: Tag,
  reference: string,
): void {
  const { start, end } = inside
  if (end > start) text.remove(start, end)
  text.appendLeft(at + '<script'.length, ` src="${escapeAttribute(reference)}"`)
  text.appendRight(behind, '<script type="text/plain"></script>')
}
