/** `import()` in inline classic scripts, which run before anything is checked: their calls wait until it is. */
import type MagicString from 'magic-string'
import { isLegible } from '../emit/early-imports.js'
import { escapeAttribute } from '../emit/escape.js'
import { runsCode, typeOf } from '../emit/judge.js'
import type { Tag } from '../emit/tags.js'
import { readImports } from './lexer.js'

/** What stands in the place of `import` in such scripts. No page has it by accident. */
const waiting = '__signedimpImport'

/** Keeps what is asked for until somebody can answer. */
const queue = `var ${waiting}=function(){var w=[],f,g=function(s,o){return f?f(s,o):new Promise(function(y,n){w.push([s,o,y,n])})};g.open=function(h){f=h;w.splice(0).forEach(function(a){h(a[0],a[1]).then(a[2],a[3])})};return g}()`

/** Imports of inline scripts that wait. */
export interface WaitingImports {
  /** Code of the module that answers: the page's first, with the specifiers as the page spells them. */
  code: string
  /** Puts the script that keeps the calls, and the tag of that module, before the scripts that call. */
  insert(reference: string): void
}

/** Whether a tag is a classic script in the page itself. */
export const isInlineClassic = (tag: Tag): boolean =>
  tag.name === 'script' &&
  !tag.isSvg &&
  !tag.isInert &&
  typeOf(tag) !== 'module' &&
  typeOf(tag) !== 'importmap' &&
  runsCode(tag) &&
  !tag.attributes.has('src')

/**
 * Makes the inline classic scripts of a page wait for what they import. Specifiers that the text has are imported as they
 * stand there; others as they would be from the page.
 * @returns undefined where no such script imports anything
 */
export async function waitForImports(
  text: MagicString,
  html: string,
  tags: readonly Tag[],
): Promise<WaitingImports | undefined> {
  const named = new Set<string>()
  let isOpen = false
  let first: Tag | undefined
  for (const tag of tags.filter(isInlineClassic)) {
    const { start, end } = tag.inside
    const code = html.slice(start, end)
    const imports = isLegible(code) ? await readImports(code) : undefined
    if (!imports || imports.calls.length === 0 || html.includes(waiting)) continue
    for (const at of imports.calls)
      text.overwrite(start + at, start + at + 'import'.length, waiting)
    for (const { specifier } of imports.named) named.add(specifier)
    isOpen ||= imports.isOpen
    first ??= tag
  }
  if (!first) return undefined
  const { start, attributes } = first
  const nonce = attributes.get('nonce')
  const more = nonce === undefined ? '' : ` nonce="${escapeAttribute(nonce)}"`
  return {
    code: answer([...named], isOpen),
    insert: (reference) =>
      void text.appendLeft(
        start,
        `<script${more}>${queue}</script><script type="module"${more} src="${escapeAttribute(reference)}"></script>`,
      ),
  }
}

function answer(named: readonly string[], isOpen: boolean): string {
  const cases = named.map((name) => `${JSON.stringify(name)}:()=>import(${JSON.stringify(name)})`)
  const rest = isOpen
    ? 'import(/^\\.{0,2}\\//.test(s)?new URL(s,document.baseURI).href:s,o)'
    : 'Promise.reject(TypeError(s))'
  return `const named=new Map(Object.entries({${cases.join()}}));${waiting}.open((s,o)=>named.has(s)?named.get(s)():${rest})\n`
}
