import { init } from 'es-module-lexer'
import { fromUtf8, type Bytes } from '../crypto/bytes.js'
import { SignedImpError } from '../errors.js'
import { closureOf, tagKey } from '../manifest/linking.js'
import { below, isPageGuard, isModulePath } from '../manifest/path.js'
import { parseManifest, type StaticImport } from '../manifest/format.js'
import type { Listed } from '../manifest/import-map.js'
import { toIntegrity, type Bootstrap } from './bootstrap.js'
import { depthOf, findBaseElement } from './base-element.js'
import type { Changes } from './changes.js'
import type { Release } from './release.js'
import { matches } from './coverage.js'
import { findEarlyImports } from './early-imports.js'
import { fixMap } from './fixed-map.js'
import type { ForeignImport } from './foreign.js'
import { hasHost, type Base, type Graph } from './graph.js'
import { isAscii, rewritePage, type PageContext, type RewrittenPage } from './html.js'
import { signPageManifest } from './manifest.js'
import { isPage, textOf, type Output } from './output.js'
import { watchPage } from './report-only-page.js'
import { findTags } from './tags.js'

/** What pages are made to start with. */
export interface Pageable {
  graph: Pick<Graph, 'resolve' | 'locate' | 'urlOf'>
  imports: Map<string, StaticImport[]>
  /** What modules import from outside of the output, when these main chunks are loaded. */
  foreignOf(entries: readonly string[]): ForeignImport[]
  digests: Map<string, string>
  bootstrap: Bootstrap
}

/** Pages that start through the bootstrap, and their manifest. */
export interface StartedPages {
  manifest: string
  pages: RewrittenPage[]
}

/** Signs the list of what pages may load, and makes them start through the bootstrap. */
export async function startPages(
  output: Output,
  release: Release,
  pageable: Pageable,
  { change }: Changes,
): Promise<StartedPages> {
  await init()
  const { imports, digests: files } = pageable
  const { path: manifestPath, text, stored } = await signPageManifest(release, { imports, files })
  change(manifestPath, stored)
  const carried = carriedManifest(release, manifestPath, stored)
  // As pages read it, in its order.
  const listed = release.policy === 'self' ? parseManifest(text, 1) : undefined
  const signed = { ...pageable, manifestPath, carried, listed }
  return { manifest: manifestPath, pages: rewritePages(output, release, signed, change) }
}

interface Signed extends Pageable {
  manifestPath: string
  /** The manifest's text, where pages carry it. */
  carried: string | undefined
  /** What the manifest lists, where pages' maps are to be the same in each view. */
  listed: Listed | undefined
}

function rewritePages(
  output: Output,
  release: Release,
  signed: Signed,
  change: Changes['change'],
): RewrittenPage[] {
  return [...output.values()]
    .filter(({ path, source }) => isPage(path) && source !== undefined)
    .map((file) => {
      const before = textOf(file)
      const context = createPageContext(file.path, before, output, release, signed)
      const start = release.reportOnly === undefined ? startPage : watchPage
      const page = start(before, context, output)
      if (page.html !== before) change(file.path, page.html)
      return page
    })
}

function startPage(html: string, context: PageContext, output: Output): RewrittenPage {
  const page = rewritePage(html, context)
  const early = findEarlyImports(html, context, output)
  return { ...page, uncovered: [...page.uncovered, ...early] }
}

/**
 * Makes references to files of an output, for one of its pages.
 * @param start where its relative references start, if that is not the page itself
 */
export function createRefer(page: string, base: Base, start?: string): (path: string) => string {
  const up = '../'.repeat(depthOf(page, start))
  return (path) => below(base || up || './', path)
}

function createPageContext(
  page: string,
  html: string,
  output: Output,
  release: Release,
  signed: Signed,
): PageContext {
  const { base, hash, name, build, inline, external, unverified, reportTo } = release
  const { graph, imports, digests, bootstrap, manifestPath, carried, listed, foreignOf } = signed
  const start = findBaseElement(page, findTags(html))
  const refer = createRefer(page, base, start)
  return {
    path: page,
    base,
    resolve: (reference) => graph.resolve(page, reference, start),
    locate: (reference) => graph.locate(page, reference, start),
    urlOf: graph.urlOf,
    isModule: (path) => output.get(path)!.isModule,
    integrityOf: (path) => toIntegrity(hash, digests.get(path)!),
    closure: (path) => [...closureOf(imports, path)],
    refer,
    manifest: refer(manifestPath),
    inlineManifest: carried,
    bootstrap: bootstrap.code,
    linked: inline === false ? bootstrap.linked.fileName : undefined,
    runtime: bootstrap.runtime.fileName,
    blob: bootstrap.blob.fileName,
    tags: release.tags ? bootstrap.tags.fileName : undefined,
    fixMap: listed && ((own) => fixMap(listed, refer(''), release.tags ? tagKey : undefined, own)),
    guards: [...digests.keys()].filter(isPageGuard),
    release: {
      'data-name': name,
      'data-build': build === undefined ? undefined : String(build),
      'data-report': reportTo,
    },
    crossOrigin: hasHost(base),
    modules: [...digests.keys()].filter(isModulePath),
    external,
    foreignOf,
    isAccepted: (url) => unverified.some((pattern) => matches(pattern, url)),
    fallback: release.fallback,
  }
}

/** A page carries the manifest as text of a script element, which these would end or nest (HTML, "script data state"). */
const markup = /<\/script|<!--|<script/i

/** Above this many bytes a manifest that pages need not carry is a file of its own, which all pages share. */
const maxCarried = 1 << 15

/**
 * The text of the manifest, where pages carry it. Beside a linked bootstrap that saves the round trip in which the
 * bootstrap, once it is there, asks for it: WebKit takes no preload for that.
 */
function carriedManifest(
  { inline, threshold, signer }: Release,
  path: string,
  stored: Bytes,
): string | undefined {
  const text = fromUtf8(stored)
  if (inline === 'all') return markup.test(text) ? refuseMarkup(path) : text
  // What is signed later would be signed in the file only.
  const isFit = signer && threshold === 1 && stored.length <= maxCarried && isAscii(text)
  return inline === false && isFit && !markup.test(text) ? text : undefined
}

function refuseMarkup(path: string): never {
  throw new SignedImpError(
    'ERR_SIGNEDIMP_OUTPUT',
    "holds a name with markup in it, which pages cannot carry; rename the file, or do without inline: 'all'",
    { path },
  )
}
