/** Code in the HTML of a page, and classic scripts, that import modules: they may run before anything is checked. */
import { parse } from 'es-module-lexer'
import { hashBytes } from '../crypto/node.js'
import { toIntegrity } from './bootstrap.js'
import type { PageContext } from './html.js'
import { codeInAttributes } from './inline-code.js'
import { judgeTag, nameOfInline, runsCode, typeOf } from './judge.js'
import { codeOf, type Output, type Uncovered } from './output.js'
import { findElements, findTags, type Element, type Tag } from './tags.js'

/**
 * Finds what in a page imports modules by itself. The lexer must be ready.
 * @param html of the page, before it gets a bootstrap
 */
export function findEarlyImports(
  html: string,
  page: Pick<PageContext, 'resolve' | 'isModule'>,
  output: Output,
): Uncovered[] {
  const scripts = findTags(html).flatMap((tag) => {
    const code = codeOfClassic(tag, page, output)
    return code !== undefined && mayImport(code)
      ? { name: tag.attributes.get('src') ?? nameOfInline(tag), reason: reasonAgainst(code) }
      : []
  })
  return [...scripts, ...findInAttributes(elementsOf(html))]
}

const reasonAgainst = (code: string): string =>
  `a classic script ("${code.trim().slice(0, 40)}") that imports modules before anything is checked`

/** The code of a classic script, wherever it stands: those in images and in shadow roots run, too. */
function codeOfClassic(
  tag: Tag,
  page: Pick<PageContext, 'resolve' | 'isModule'>,
  output: Output,
): string | undefined {
  const type = typeOf(tag)
  if (tag.name !== 'script' || type === 'module' || type === 'importmap' || !runsCode(tag))
    return undefined
  if (!tag.attributes.has('src')) return tag.text
  const action = judgeTag(tag, page)
  return action.kind === 'check' ? codeOf(output.get(action.path)!) : undefined
}

const elementsOf = (html: string): Element[] => [...findElements(html)].map(([element]) => element)

function findInAttributes(elements: readonly Element[]): Uncovered[] {
  const own = [...codeInAttributes(elements)].filter(({ code }) => mayImport(code))
  const frames = elements.filter(({ tagName }) => tagName === 'iframe')
  const documents = frames.flatMap(({ attrs }) => attrs.filter(({ name }) => name === 'srcdoc'))
  return [
    ...own.map(({ tagName, attribute, code }) => ({
      name: `<${tagName} ${attribute}> ${toIntegrity('sha256', hashBytes('sha256', code))}`,
      reason: `code in an attribute ("${code.trim().slice(0, 40)}") that imports modules, which nothing checks everywhere; let it call a function of a module`,
    })),
    ...documents.flatMap(({ value }) => findInAttributes(elementsOf(value))),
  ]
}

/** To browsers these begin comments in classic scripts, and to the lexer they begin none (ECMA-262, B.1.1). */
const htmlComment = /<!--|-->/

/** Whether the lexer reads a classic script as browsers do. */
export const isLegible = (code: string): boolean => !htmlComment.test(code)

/** Whether a classic script may import modules. Of what cannot be read, the words are asked. */
function mayImport(code: string): boolean {
  try {
    if (isLegible(code)) return parse(code)[0].some(({ type }) => type !== 'import-meta')
  } catch {
    // As a script that the lexer would read in another way.
  }
  return /\bimport\s*[(./]/.test(code)
}
