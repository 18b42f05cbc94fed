import MagicString from 'magic-string'
import { escapeAttribute } from './html.js'
import { findHeadEnd, findTags, type Tag } from './tags.js'

/** How the sources that a page names were built. */
export interface Sources {
  /** Path of the file that was built from the source that a reference in the page names, if it names one. */
  find(reference: string): string | undefined
  /** Path of the stylesheet that was gathered from what an entry imports, if there is one. */
  styleOf(path: string): string | undefined
  /** A reference to a file of the output, for this page. */
  refer(path: string): string
}

/** Makes a page that names sources name what was built of them, and link the stylesheets of its entries. */
export function linkSources(html: string, sources: Sources): string {
  const text = new MagicString(html)
  const tags = findTags(html).filter(({ name, isInert }) => !isInert && name !== 'base')
  const styles = new Set<string>()
  for (const tag of tags) {
    const path = linkTag(text, tag, sources)
    const style = path === undefined ? undefined : sources.styleOf(path)
    if (style !== undefined) styles.add(style)
  }
  const linked = new Set(tags.map(({ attributes }) => attributes.get('href')))
  const wanted = [...styles].filter((style) => !linked.has(sources.refer(style)))
  const first = tags.find(({ name }) => name === 'script')
  const links = wanted.map(
    (style) => `<link rel="stylesheet" href="${escapeAttribute(sources.refer(style))}">\n`,
  )
  if (first && links.length > 0) text.appendLeft(findHeadEnd(html) ?? first.start, links.join(''))
  return text.toString()
}

/** @returns the path of what was built, where the tag names a source */
function linkTag(
  text: MagicString,
  { name, attributes, locate }: Tag,
  { find, refer }: Sources,
): string | undefined {
  const attribute = name === 'script' ? 'src' : 'href'
  const reference = attributes.get(attribute)
  const path = reference === undefined ? undefined : find(reference)
  if (path === undefined) return undefined
  const { start, end } = locate(attribute)!
  text.overwrite(start, end, `${attribute}="${escapeAttribute(refer(path))}"`)
  return path
}
