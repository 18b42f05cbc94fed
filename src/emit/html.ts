import MagicString from 'magic-string'
import { SignedImpError } from '../errors.js'
import { tagKey } from '../manifest/linking.js'
import { escapeAttribute } from './escape.js'
import { createFallback } from './fallback.js'
import type { FixedMap } from './fixed-map.js'
import { foldMaps, notFolded } from './fold.js'
import type { ForeignImport } from './foreign.js'
import type { Base } from './graph.js'
import { judgeTag, tagsOf, type Action } from './judge.js'
import type { Uncovered } from './output.js'
import { findTags, type Tag } from './tags.js'

/** What a page needs to know of the output. */
export interface PageContext {
  /** Of the page itself. */
  path: string
  /** The file that a reference in this page means, if it is one of the output. */
  resolve(reference: string): string | undefined
  /** The URL that a reference in this page means, where an unknown host is `output.invalid`. */
  locate(reference: string): string | undefined
  /** The URL of a file of the output. */
  urlOf(path: string): string
  base: Base
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
  /** Path of the runtime that does without an import map. */
  blob: string
  /** Path of the runtime that loads modules by tags, if the build has it. */
  tags: string | undefined
  /** Tells the hash of the page's map, where that is to be the same in each view. @param own the page's own map */
  fixMap?: ((own: string | undefined) => FixedMap) | undefined
  /** Paths of what guards workers and `fetch`, where the build has it. */
  guards: readonly string[]
  /** Attributes of the bootstrap's tag that are the release's: `data-name`, `data-build`, `data-report`. */
  release: Record<string, string | undefined>
  /** Whether the files are on another origin than the page. */
  crossOrigin: boolean
  /** Paths of all files that a page may load as modules. */
  modules: readonly string[]
  /** Integrity metadata of external modules by URL, for all pages. */
  external: ReadonlyMap<string, string>
  /** What is imported from outside of the output when these main chunks are loaded. */
  foreignOf(entries: readonly string[]): ForeignImport[]
  /** Whether `unverified` names something. */
  isAccepted(name: string): boolean
  /** What the page shows where its bootstrap does not run, if anything. */
  fallback: string | undefined
}

/** A page made to start through the bootstrap. */
export interface RewrittenPage {
  path: string
  html: string
  /** Main chunks that the page starts. */
  entries: string[]
  /** Files that the page now checks: entries, stylesheets and classic scripts, and what its own import map means. */
  checked: string[]
  /** External modules that the page may load, with their integrity metadata. */
  external: ReadonlyMap<string, string>
  /** What a policy must allow for its import map, where that is the same in each view. */
  fixed: FixedMap | undefined
  /** What the page was seen to import from outside of the output. */
  foreign: readonly ForeignImport[]
  uncovered: Uncovered[]
  /** Texts of its own classic scripts, which may run before anything is checked. */
  inline: string[]
}

/** Turns a page's module tags into one bootstrap, and gives integrity to what else it loads. */
export function rewritePage(html: string, page: PageContext): RewrittenPage {
  const text = new MagicString(html)
  const tags = findTags(html)
  const actions = tags.map((tag) => ({ tag, ...judgeTag(tag, page) }))
  const entries = actions.flatMap((action) => (action.kind === 'entry' ? action.path : []))
  const checked = actions.flatMap((action) => (action.kind === 'check' ? action.path : []))
  const uncovered = actions.flatMap((action) => (action.kind === 'uncovered' ? action : []))

  const module = actions.find(({ kind }) => kind === 'entry')?.tag
  const maps = tagsOf('map', actions)
  const foreign = page.foreignOf(entries)
  const folded = module ? foldMaps(maps, module, foreign, page) : notFolded(maps)
  const fixed = module ? page.fixMap?.(folded.text) : undefined
  for (const action of actions) {
    if (action.kind === 'entry' || action.kind === 'remove' || (module && action.kind === 'map'))
      removeLine(text, html, action.tag)
    if (action.kind === 'check') setIntegrity(text, action.tag, page, action.path)
  }
  if (module) {
    refuseUnknownCharset(page, tags)
    text.appendLeft(
      placeOfBootstrap(actions),
      renderBootstrap(page, entries, module.attributes, findNonce(module, tags), {
        'data-map': folded.text,
        'data-folder': fixed?.folder,
      }),
    )
    const fallback = page.fallback !== undefined && createFallback(html, page.fallback)
    if (fallback) text.appendLeft(fallback.at, fallback.markup)
  }
  return {
    path: page.path,
    html: text.toString(),
    entries,
    checked: [...checked, ...entries, ...folded.targets],
    external: folded.external,
    fixed,
    foreign,
    inline: module ? tagsOf('after', actions).map(({ text: script }) => script) : [],
    uncovered: [
      ...folded.uncovered,
      ...uncovered.map(({ name, reason }) => ({ name, reason })),
      ...(markupInSelect.test(html) ? [unclearSelect] : []),
    ],
  }
}

/** Before whatever loads or runs, but behind the charset, which browsers look for in the first 1,024 bytes only. */
export function placeOfBootstrap(actions: (Action & { tag: Tag })[]): number {
  const first = actions.find(({ tag, kind }) => kind !== 'keep' && !tag.isInert)!.tag.start
  const charsets = actions.filter(({ tag }) => isCharset(tag))
  return Math.max(first, ...charsets.map(({ tag }) => tag.end))
}

/** Whether a text is the same in every charset that the web has, but UTF-16. */
export const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text)

/** The signed bytes of a manifest are found again in a page's text only if that is read as UTF-8. */
function refuseUnknownCharset({ inlineManifest = '', path }: PageContext, tags: Tag[]): void {
  if (isAscii(inlineManifest) || declaresUtf8(tags)) return
  throw new SignedImpError(
    'ERR_SIGNEDIMP_OUTPUT',
    `would carry names that are not ASCII in no known charset: add <meta charset="utf-8">`,
    { path },
  )
}

/** Whether a page says that it is UTF-8. */
export const declaresUtf8 = (tags: Tag[]): boolean => {
  const isUtf8 = ({ attributes }: Tag) =>
    /^utf-?8$/i.test(attributes.get('charset') ?? '') ||
    /charset=utf-?8/i.test(attributes.get('content') ?? '')
  return tags.some((tag) => isCharset(tag) && isUtf8(tag))
}

/** What HTML's older parsers drop from a select, ours among them, and newer ones keep. */
const markupInSelect = /<select\b(?:(?!<\/select)[^])*?<(?:svg|math|iframe)\b/i

const unclearSelect: Uncovered = {
  name: '<select>',
  reason: 'an image or a frame in a select, which browsers do not all read alike',
}

const removeLine = (text: MagicString, html: string, { start, end }: Tag) =>
  text.remove(start, end + (/^\r?\n/.exec(html.slice(end, end + 2))?.[0].length ?? 0))

/** The nonce of the tag that the bootstrap replaces, or the one that Vite leaves in a page for scripts. */
export const findNonce = ({ attributes }: Tag, tags: Tag[]): string | undefined =>
  attributes.get('nonce') ??
  tags
    .find((tag) => tag.name === 'meta' && tag.attributes.get('property') === 'csp-nonce')
    ?.attributes.get('nonce')

const isCharset = ({ name, attributes, isInert }: Tag): boolean =>
  name === 'meta' &&
  !isInert &&
  (attributes.has('charset') || /^content-type$/i.test(attributes.get('http-equiv') ?? ''))

/** What stands there already may be stale, or nothing that a browser obeys. */
function setIntegrity(text: MagicString, tag: Tag, page: PageContext, path: string): void {
  const old = tag.locate('integrity')
  if (old) text.remove(old.start, old.end)
  const crossOrigin = page.crossOrigin && !tag.attributes.has('crossorigin') ? ' crossorigin' : ''
  // First, for of two attributes of one name the first counts, and one without quotes takes what follows for its value.
  const at = tag.start + '<'.length + tag.name.length
  text.appendLeft(at, ` integrity="${page.integrityOf(path)}"${crossOrigin}`)
}

/** The bootstrap's tags, in the order that starts downloads soonest: preloads first, then the script that will ask for them. */
function renderBootstrap(
  page: PageContext,
  entries: string[],
  module: Map<string, string>,
  nonce: string | undefined,
  map: Attributes,
): string {
  const shared = {
    crossorigin: module.get('crossorigin') === 'use-credentials' ? 'use-credentials' : '',
    nonce,
  }
  const preload = (as: string, href: string, integrity?: string) =>
    `<link${attributes({ rel: 'preload', as, href, integrity, ...shared })}>\n`
  const modules = new Set([
    page.runtime,
    ...page.guards,
    ...entries.flatMap((entry) => page.closure(entry)),
  ])
  const preloads = [...modules].map((path) =>
    preload('script', page.refer(path), page.integrityOf(path)),
  )
  const data = {
    'data-manifest': page.manifest,
    'data-runtime': page.runtime,
    'data-blob': page.blob,
    ...tagData(page),
    'data-entry': entries.map(encodeURIComponent).join(' '),
    ...map,
    'data-credentials': shared.crossorigin === '' ? undefined : 'include',
    ...page.release,
    ...shared,
  }
  return page.inlineManifest === undefined
    ? preload('fetch', page.manifest) + preloads.join('') + renderScript(page, data)
    : `${preloads.join('')}<script type="text/plain" data-signedimp>${page.inlineManifest}</script>${renderScript(page, data)}`
}

/** What the runtime that loads modules by tags must know of how they import one another. */
const tagData = ({ tags, crossOrigin }: PageContext): Attributes =>
  tags === undefined
    ? {}
    : { 'data-tags': tags, 'data-key': tagKey, 'data-whole': crossOrigin ? '' : undefined }

/** The bootstrap's own tag. */
export function renderScript(
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
