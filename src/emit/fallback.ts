/** What a page shows where its bootstrap does not run: blocked, changed, or in a browser that cannot read it. */
import { escapeAttribute } from './escape.js'
import { findElements, type Element } from './tags.js'

/** By this the bootstrap finds the element, and removes it once it runs. */
const id = 'signedimp'

/** What it says if nothing else is asked for. */
export const fallbackText = 'This page could not be started. Reload it, or try a newer browser.'

/** Seconds after which it is seen: longer than a linked bootstrap takes on a slow line. */
const delay = 8

/**
 * Where in a page its fallback goes, and what it is. It needs no script and no style, which a policy might forbid: a
 * clock of SVG (SMIL) moves it into sight. Until then it takes no room.
 * @returns undefined where the page has one of its own
 */
export function createFallback(
  html: string,
  text: string,
): { at: number; markup: string } | undefined {
  const elements = [...findElements(html)].map(([element]) => element)
  if (elements.some(({ attrs }) => attrs.some(({ name, value }) => name === 'id' && value === id)))
    return undefined
  return {
    at: endOf(elements, 'body') ?? endOf(elements, 'html') ?? html.length,
    markup: render(text),
  }
}

const endOf = (elements: Element[], name: string): number | undefined =>
  elements.find(({ tagName }) => tagName === name)?.sourceCodeLocation?.endTag?.startOffset

/** Above the page, where nobody can scroll to. What stands beside it in attributes is no style to a policy, in no engine. */
const render = (text: string): string =>
  `<svg id="${id}" width="1" height="1" overflow="visible"><g transform="translate(0 -9999)">` +
  `<animateTransform attributeName="transform" type="translate" to="0 0" begin="${delay}s" dur="1ms" fill="freeze"/>` +
  `<foreignObject width="300" height="200"><p>${escapeAttribute(text)}</p></foreignObject></g></svg>\n`
