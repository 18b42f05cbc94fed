import type { HashType } from '../crypto/algorithms.js'
import { fromUtf8, type Bytes } from '../crypto/bytes.js'
import type { TrustedKey } from '../crypto/key.js'
import { hashBytes } from '../crypto/node.js'
import { writeSignedText, type Manifest, type StaticImport } from '../manifest/format.js'
import { isManifestOf, pageManifestName } from '../manifest/names.js'
import { SignedImpError } from '../errors.js'
import { isModulePath, isPath, pathToRelativeUrl } from '../manifest/path.js'
import { signManifest, type Signer } from '../manifest/sign.js'
import { refuseSharedNames } from '../manifest/distinct.js'
import { createBootstrap, toIntegrity, type Bootstrap, type PageCode } from './bootstrap.js'
import { acceptUncovered, findUncovered } from './coverage.js'
import { createGraph, type Base, type Graph } from './graph.js'
import { isAscii, rewritePage, type PageContext, type RewrittenPage } from './html.js'
import {
  isPage,
  isSourceMap,
  textOf,
  type Output,
  type OutputFile,
  type Uncovered,
} from './output.js'
import { rewriteModule } from './rewrite.js'

/** How a page carries the bootstrap: inline (default), linked (`false`), or inline with the signed manifest (`'all'`). */
export type Inline = boolean | 'all'

/** What an output is signed with and for. */
export interface Release {
  /** Undefined where only the public key is here, and the signature comes later. */
  signer: Signer | undefined
  /** Keys that pages accept: the signer's and the other trusted ones. */
  keys: readonly TrustedKey[]
  threshold: number
  name: string
  build?: number | undefined
  expires?: string | undefined
  hash: HashType
  manifestName: string
  base: Base
  inline: Inline
  unverified: readonly string[]
  /** What the package ships for pages. */
  page: PageCode
}

/** What became of an output. */
export interface Emitted {
  /** The files that are new or have other bytes than before. */
  changed: Map<string, string | Uint8Array>
  /** Hashes of all files, the page manifest's too. */
  digests: Map<string, string>
  /** Static imports, for the manifest of the whole output. */
  imports: Map<string, StaticImport[]>
  bootstrap: Bootstrap
  /** The page manifest. */
  manifestPath: string
  /** Files of ours: the page manifest, the runtime, and the bootstrap where it is linked. */
  own: string[]
  /** How many pages start through the bootstrap. */
  pages: number
  /** What is not checked and was accepted. */
  accepted: Uncovered[]
  /** Stylesheets and classic scripts that a page's tag checks. */
  checked: Set<string>
}

/**
 * Signs a finished output: rewrites its modules, lists what pages load in a signed page manifest, and makes its
 * pages start through the bootstrap.
 * @throws SignedImpError on an output whose code would not all be checked, or could not be told apart
 */
export async function emitOutput(output: Output, release: Release): Promise<Emitted> {
  const changed: Emitted['changed'] = new Map()
  const change = (path: string, source: string | Uint8Array) => {
    output.set(path, { isModule: false, isEntry: false, ...output.get(path), path, source })
    changed.set(path, source)
  }
  checkNames(output)
  const graph = createGraph(output, release.base)
  const imports = await rewriteModules(output, graph, change)
  const bootstrap = createBootstrap(release.page, release.keys, release.threshold)
  const own = [bootstrap.runtime, ...(release.inline === false ? [bootstrap.linked] : [])]
  for (const { fileName, code } of own) change(fileName, code)

  const digests = hashFiles(output, release.hash, (path) => isForPages(path, release))
  const { path: manifestPath, stored } = await signPageManifest({
    ...release,
    imports,
    files: digests,
  })
  change(manifestPath, stored)

  const carried = carriedManifest(release, manifestPath, stored)
  const signed = { graph, imports, digests, bootstrap, manifestPath, carried }
  const pages = rewritePages(output, release, signed, change)
  const ownPaths = own.map(({ fileName }) => fileName)
  const checked = new Set(pages.flatMap((page) => page.checked))
  const uncovered = [
    ...pages.flatMap((page) => page.uncovered),
    ...findUncovered(output, new Set([...checked, ...ownPaths])),
  ]
  return {
    changed,
    digests: hashFiles(output, release.hash, () => true, digests),
    imports,
    bootstrap,
    manifestPath,
    own: [manifestPath, ...ownPaths],
    pages: pages.filter(({ entries }) => entries.length > 0).length,
    accepted: acceptUncovered(uncovered, release.unverified),
    checked,
  }
}

/** Whether pages may load a file: not themselves, nor what only tools read. */
const isForPages = (path: string, { manifestName }: Release): boolean =>
  !isPage(path) && !isSourceMap(path) && !isManifestOf(manifestName, path)

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

function checkNames(output: Output): void {
  for (const path of output.keys())
    if (!isPath(path))
      throw new SignedImpError('ERR_SIGNEDIMP_PATH', 'cannot be listed in a manifest; rename it', {
        path,
      })
  refuseSharedNames(output.keys())
}

type Change = (path: string, source: string | Uint8Array) => void

async function rewriteModules(output: Output, graph: Graph, change: Change) {
  const imports = new Map<string, StaticImport[]>()
  for (const file of output.values()) {
    if (!file.isModule) continue
    if (!isModulePath(file.path)) throw noModuleName(file.path)
    const before = textOf(file)
    const module = await rewriteModule(file.path, before)
    if (module.code !== before) change(file.path, module.code)
    const links = graph.link(file.path, module.imports)
    if (links.length > 0) imports.set(file.path, links)
  }
  return imports
}

const noModuleName = (path: string): SignedImpError =>
  new SignedImpError(
    'ERR_SIGNEDIMP_OUTPUT',
    "is a module by no module's name; let it end in .js or .mjs",
    { path },
  )

function hashFiles(
  output: Output,
  type: HashType,
  isListed: (path: string) => boolean,
  known?: Map<string, string>,
): Map<string, string> {
  const files = [...output.values()].filter(({ path }) => isListed(path))
  return new Map(files.map((file) => [file.path, known?.get(file.path) ?? digestOf(file, type)]))
}

/** Hash of a file of the output, in hex. */
const digestOf = ({ digest, source = '' }: OutputFile, type: HashType): string =>
  digest ?? hashBytes(type, source)

/** Signs the manifest of what pages load. It is named by what it says, so that older pages keep theirs. */
async function signPageManifest(
  release: Release & Pick<Manifest, 'imports' | 'files'>,
): Promise<{ path: string; stored: Bytes }> {
  const text = writeSignedText(toManifest(release))
  const stored = await signManifest(text, release.signer)
  return { path: pageManifestName(release.manifestName, hashBytes('sha256', text)), stored }
}

/** A manifest without what is unknown. */
export const toManifest = ({
  hash,
  name,
  build,
  expires,
  imports,
  files,
}: Pick<Release, 'hash' | 'name' | 'build' | 'expires'> &
  Pick<Manifest, 'imports' | 'files'>): Manifest => ({
  hash,
  name,
  ...(build === undefined ? {} : { build }),
  ...(expires === undefined ? {} : { expires }),
  imports,
  files,
})

interface Signed {
  graph: Graph
  imports: Map<string, StaticImport[]>
  digests: Map<string, string>
  bootstrap: Bootstrap
  manifestPath: string
  /** The manifest's text, where pages carry it. */
  carried: string | undefined
}

function rewritePages(
  output: Output,
  release: Release,
  signed: Signed,
  change: Change,
): RewrittenPage[] {
  return [...output.values()]
    .filter(({ path, source }) => isPage(path) && source !== undefined)
    .map((file) => {
      const before = textOf(file)
      const page = rewritePage(before, createPageContext(file.path, output, release, signed))
      if (page.html !== before) change(file.path, page.html)
      return page
    })
}

function createPageContext(
  page: string,
  output: Output,
  release: Release,
  signed: Signed,
): PageContext {
  const { base, hash, name, build, inline } = release
  const { graph, imports, digests, bootstrap, manifestPath, carried } = signed
  const up = '../'.repeat(page.split('/').length - 1)
  const refer = (path: string) => (base || up || './') + pathToRelativeUrl(path).slice(2)
  return {
    path: page,
    resolve: (reference) => graph.resolve(page, reference),
    isModule: (path) => output.get(path)!.isModule,
    integrityOf: (path) => toIntegrity(hash, digests.get(path)!),
    closure: (path) => [...closureOf(imports, path)],
    refer,
    manifest: refer(manifestPath),
    inlineManifest: carried,
    bootstrap: bootstrap.code,
    linked: inline === false ? bootstrap.linked.fileName : undefined,
    runtime: bootstrap.runtime.fileName,
    release: { 'data-name': name, ...(build === undefined ? {} : { 'data-build': String(build) }) },
    crossOrigin: /^(https?:)?\/\//.test(base),
  }
}

/** A module and everything that it imports statically. */
export function closureOf(imports: Map<string, StaticImport[]>, path: string): Set<string> {
  const paths = new Set([path])
  for (const from of paths) for (const to of imports.get(from) ?? []) paths.add(to.path)
  return paths
}
