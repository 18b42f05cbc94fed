import { parse, type DefaultTreeAdapterTypes } from 'parse5'

/** An element of a page that loads or configures something. */
export interface Tag {
  name: 'script' | 'link' | 'meta' | 'iframe' | 'base'
  /** Of SVG, where a script's address is `href` and it is never a module of ours. */
  isSvg: boolean
  /** In a template: it does nothing where it stands. */
  isInert: boolean
  attributes: Map<string, string>
  /** Where an attribute stands. */
  locate(attribute: string): { start: number; end: number } | undefined
  start: number
  /** After the end tag, or after the start tag of an element that has none. */
  end: number
  /** Where another attribute can be put. */
  open: number
  /** Where what it holds stands. */
  inside: { start: number; end: number }
  text: string
}

/** An element as it is parsed. */
export type Element = DefaultTreeAdapterTypes.Element

/** The tags of a page, in order. */
export function findTags(html: string): Tag[] {
  const tags: Tag[] = []
  for (const [node, isInert] of findElements(html))
    if (isName(node.tagName) && node.sourceCodeLocation)
      tags.push(toTag(html, node, node.tagName, isInert))
  return tags.sort((a, b) => a.start - b.start)
}

/** All elements of a page, and whether they stand in a template. */
export const findElements = (html: string): Generator<[element: Element, isInert: boolean]> =>
  elementsBelow(parse(html, { sourceCodeLocationInfo: true }), false)

function* elementsBelow(
  node: DefaultTreeAdapterTypes.Node,
  isInert: boolean,
): Generator<[element: Element, isInert: boolean]> {
  if ('tagName' in node) yield [node, isInert]
  if ('childNodes' in node)
    for (const child of node.childNodes) yield* elementsBelow(child, isInert)
  if ('content' in node) yield* elementsBelow(node.content, true)
}

/** Where the end tag of a page's head stands, if it has one. */
export function findHeadEnd(html: string): number | undefined {
  const document = parse(html, { sourceCodeLocationInfo: true })
  const root = document.childNodes.find((node): node is Element => node.nodeName === 'html')
  const head = root?.childNodes.find((node): node is Element => node.nodeName === 'head')
  return head?.sourceCodeLocation?.endTag?.startOffset
}

const isName = (name: string): name is Tag['name'] => /^(script|link|meta|iframe|base)$/.test(name)

function toTag(html: string, node: Element, name: Tag['name'], isInert: boolean): Tag {
  const { startOffset, endOffset, startTag, endTag, attrs } = node.sourceCodeLocation!
  const open = startTag?.endOffset ?? endOffset
  return {
    name,
    isSvg: node.namespaceURI.endsWith('svg'),
    isInert,
    attributes: new Map(node.attrs.map((attribute) => [attribute.name, attribute.value])),
    locate(attribute) {
      const at = attrs?.[attribute]
      return at && { start: at.startOffset, end: at.endOffset }
    },
    start: startOffset,
    end: endOffset,
    inside: { start: open, end: endTag?.startOffset ?? endOffset },
    open: open - (html.slice(0, open).endsWith('/>') ? 2 : 1),
    text: node.childNodes.map((child) => ('value' in child ? child.value : '')).join(''),
  }
}
