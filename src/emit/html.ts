import MagicString from 'magic-string'
import { parse, type DefaultTreeAdapterTypes } from 'parse5'
import type { Uncovered } from './output.js'

/** An element's tag in a page. */
export interface Tag {
  name: string
  attributes: Map<string, string>
  start: number
  /** After the end tag, or after the start tag of an element that has none. */
  end: number
  /** After the start tag. */
  open: number
  text: string
}

/** The tags of a page that load or configure something, in order. */
export function findTags(html: string): Tag[] {
  const tags: Tag[] = []
  const visit = (node: DefaultTreeAdapterTypes.Node) => {
    if ('tagName' in node && node.sourceCodeLocation) tags.push(toTag(node))
    if ('childNodes' in node) node.childNodes.forEach(visit)
    if ('content' in node) visit(node.content)
  }
  visit(parse(html, { sourceCodeLocationInfo: true }))
  return tags
    .filter(
      ({ name }) => name === 'script' || name === 'link' || name === 'meta' || name === 'head',
    )
    .sort((a, b) => a.start - b.start)
}

function toTag(node: DefaultTreeAdapterTypes.Element): Tag {
  const { startOffset, endOffset, startTag } = node.sourceCodeLocation!
  const [text] = node.childNodes
  return {
    name: node.tagName,
    attributes: new Map(node.attrs.map(({ name, value }) => [name, value])),
    start: startOffset,
    end: endOffset,
    open: startTag?.endOffset ?? endOffset,
    text: text && 'value' in text ? text.value : '',
  }
}

/** What a page needs to know of the output. */
export interface PageContext {
  /** The file that a reference in this page means, if it is one of the output. */
  resolve(reference: string): string | undefined
  isModule(path: string): boolean
  integrityOf(path: string): string
  /** A file's static imports and theirs, itself first. */
  closure(path: string): string[]
  /** A reference to a file, for this page. */
  refer(path: string): string
  /** Reference of the page manifest. */
  manifest: string
  /** The signed page manifest itself, for pages that carry it. */
  inlineManifest: string | undefined
  /** The bootstrap's code. */
  bootstrap: string
  /** Path of the bootstrap's file, where pages link it. */
  linked: string | undefined
  /** Path of the runtime's file. */
  runtime: string
  /** Attributes of the bootstrap's tag that are the release's: `data-name`, `data-build`. */
  release: Record<string, string>
  crossOrigin: boolean
}

/** A page made to start through the bootstrap. */
export interface RewrittenPage {
  html: string
  /** Main chunks that the page starts. */
  entries: string[]
  /** Files that the page's tags now check: entries, stylesheets and classic scripts. */
  checked: string[]
  uncovered: Uncovered[]
}

/** Turns a page's module tags into one bootstrap, and gives integrity to what else it loads (HTML, "script" and "link"). */
export function rewritePage(html: string, page: PageContext): RewrittenPage {
  const text = new MagicString(html)
  const result: RewrittenPage = { html, entries: [], checked: [], uncovered: [] }
  let module: Tag | undefined
  let first: number | undefined
  const remove = (tag: Tag) =>
    text.remove(tag.start, tag.end + (/^\r?\n/.exec(html.slice(tag.end))?.[0].length ?? 0))

  const tags = findTags(html)
  for (const tag of tags) {
    const action = judgeTag(tag, page)
    if (action.kind === 'keep') continue
    first ??= tag.start
    if (action.kind === 'entry') {
      module ??= tag
      result.entries.push(action.path)
      remove(tag)
    } else if (action.kind === 'remove') remove(tag)
    else if (action.kind === 'uncovered') result.uncovered.push(action)
    else if (action.kind === 'check') {
      result.checked.push(action.path)
      setIntegrity(text, html, tag, page, action.path)
    }
  }
  if (!module) return { ...result, html: text.toString() }
  const at = Math.max(first!, ...tags.filter(isCharset).map(({ end }) => end))
  text.appendLeft(at, renderBootstrap(page, result.entries, module.attributes))
  result.checked.push(...result.entries)
  return { ...result, html: text.toString() }
}

type Action =
  | { kind: 'keep' | 'remove' | 'script' }
  | { kind: 'entry' | 'check'; path: string }
  | ({ kind: 'uncovered' } & Uncovered)

/** The one place that decides what becomes of a tag. */
function judgeTag({ name, attributes, text }: Tag, page: PageContext): Action {
  const type = (attributes.get('type') ?? '').trim().toLowerCase()
  const reference = attributes.get(name === 'script' ? 'src' : 'href')
  const path = reference === undefined ? undefined : page.resolve(reference)
  const uncovered = (reason: string): Action => ({
    kind: 'uncovered',
    name: reference ?? `<script type="${type}">`,
    reason,
  })
  if (name === 'script') {
    if (type === 'importmap')
      return uncovered('an import map of the page, beside which ours cannot be')
    if (type === 'speculationrules' || (type && !isScriptType(type))) return { kind: 'keep' }
    if (type === 'module') {
      if (reference === undefined)
        return uncovered(
          `an inline module script ("${text.trim().slice(0, 40)}"), which runs before anything is checked`,
        )
      if (path !== undefined && page.isModule(path)) return { kind: 'entry', path }
      return uncovered('a module script that is not of this build')
    }
    if (reference === undefined) return { kind: 'script' }
    if (path !== undefined) return { kind: 'check', path }
    return attributes.get('integrity')
      ? { kind: 'script' }
      : uncovered('a script that is not of this build and has no integrity attribute')
  }
  if (name !== 'link' || reference === undefined) return { kind: 'keep' }
  const rel = (attributes.get('rel') ?? '').toLowerCase().split(/\s+/)
  if (rel.includes('modulepreload'))
    return path === undefined
      ? uncovered('a modulepreload of something that is not of this build')
      : { kind: 'remove' }
  if (rel.includes('stylesheet') && path !== undefined) return { kind: 'check', path }
  return { kind: 'keep' }
}

const isScriptType = (type: string): boolean =>
  /^(module|(text|application)\/(x-)?(java|ecma|j|live)script[\d.]*)$/.test(type)

const isCharset = ({ name, attributes }: Tag): boolean =>
  name === 'meta' && attributes.has('charset')

function setIntegrity(
  text: MagicString,
  html: string,
  tag: Tag,
  page: PageContext,
  path: string,
): void {
  if (tag.attributes.has('integrity')) return
  const crossOrigin = page.crossOrigin && !tag.attributes.has('crossorigin') ? ' crossorigin' : ''
  const at = tag.open - (html.slice(0, tag.open).endsWith('/>') ? 2 : 1)
  text.appendLeft(at, ` integrity="${page.integrityOf(path)}"${crossOrigin}`)
}

/** The bootstrap's tags, in the order that starts downloads soonest: preloads first, then the script that will ask for them. */
function renderBootstrap(
  page: PageContext,
  entries: string[],
  module: Map<string, string>,
): string {
  const shared = {
    crossorigin: module.get('crossorigin') === 'use-credentials' ? 'use-credentials' : '',
    nonce: module.get('nonce'),
  }
  const preload = (as: string, href: string, integrity?: string) =>
    `<link${attributes({ rel: 'preload', as, href, integrity, ...shared })}>\n`
  const modules = new Set([page.runtime, ...entries.flatMap((entry) => page.closure(entry))])
  const preloads = [...modules].map((path) =>
    preload('script', page.refer(path), page.integrityOf(path)),
  )
  const data = {
    'data-manifest': page.manifest,
    'data-runtime': page.runtime,
    'data-entry': entries.map(encodeURIComponent).join(' '),
    ...page.release,
    ...shared,
  }
  return page.inlineManifest === undefined
    ? preload('fetch', page.manifest) + preloads.join('') + renderScript(page, data)
    : `${preloads.join('')}<script type="text/plain" data-signedimp>${page.inlineManifest}</script>${renderScript(page, data)}`
}

function renderScript(
  { linked, bootstrap, refer, integrityOf }: PageContext,
  data: Attributes,
): string {
  return linked === undefined
    ? `<script${attributes(data)}>${bootstrap}</script>\n`
    : `<script${attributes({ defer: '', src: refer(linked), integrity: integrityOf(linked), ...data })}></script>\n`
}

type Attributes = Record<string, string | undefined>

/** Attributes in ASCII, whatever charset the page is read in. */
const attributes = (values: Attributes): string =>
  Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => (value === '' ? ` ${name}` : ` ${name}="${escapeAttribute(value!)}"`))
    .join('')

const escapeAttribute = (value: string): string =>
  value.replace(/[^ !#-%'-;=?-~]/gu, (char) => `&#${char.codePointAt(0)};`)
