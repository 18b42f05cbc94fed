import type { HashType } from '../crypto/algorithms.js'
import type { TrustedKey } from '../crypto/key.js'
import { SignedImpError } from '../errors.js'
import type { StaticImport } from '../manifest/format.js'
import { isPath } from '../manifest/path.js'
import { backendList } from '../manifest/names.js'
import type { Signer } from '../manifest/sign.js'
import { addTemplates, writeTemplates, type Templates } from './backend.js'
import { createBootstrap, createGuards, type Bootstrap, type PageCode } from './bootstrap.js'
import { createChanges, type Changes } from './changes.js'
import { findCopied } from './copied.js'
import { acceptUncovered, findUncovered } from './coverage.js'
import { findStarted, moveEntries, type ModuleEntry } from './entries.js'
import { foreignOf, refuseBesideEntries, refuseUnloaded } from './foreign.js'
import type { FixedMap } from './fixed-map.js'
import { createGraph, type Base, type Graph } from './graph.js'
import { findEarly, findNamed, guardedPattern } from './guarded.js'
import type { HeadersForm, Policy } from './forms.js'
import { addHeaders, writeHeaders } from './headers.js'
import type { RewrittenPage } from './html.js'
import { hashFiles, isForPages } from './manifest.js'
import { createStandIns, linkModules } from './modules.js'
import { isPage, type Output, type Uncovered } from './output.js'
import { addOwnFiles, nameByContent, ownFiles } from './own-files.js'
import { startPages, type StartedPages } from './pages.js'
import type { ReportOnly } from './report-only.js'
import { startEntries, type StartedEntry } from './start.js'
import { warnOf, type Parse } from './reassigned.js'
import { editViteManifest } from './vite-manifest.js'
import {
  findLoadingInlined,
  findWorkers,
  moveNames,
  planWorkers,
  refuseForeignInWorkers,
  type FoundWorkers,
  type InlinedWorker,
} from './workers.js'

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
  /** Path of the list of chunks that Vite writes for backends, if it does. */
  viteManifest?: string | undefined
  base: Base
  inline: Inline
  /** Whether pages are made later, by `signedimp html`: modules then import one another by relative names. */
  pagesLater: boolean
  /** Whether a backend writes pages that start entries. */
  backend: boolean
  /** Whether pages may load modules by tags, for which static imports are absolute. */
  tags: boolean
  policy: Policy
  /** Forms in which files say how to serve the output. */
  headers: readonly HeadersForm[]
  /** What pages show where their bootstrap does not run, if anything. */
  fallback?: string | undefined
  /** Where pages report what they refuse, if anywhere. */
  reportTo?: string | undefined
  unverified: readonly string[]
  /** Whether pages fetch workers before the code runs that names them. */
  workersFirst: boolean
  /** How to accept names where those of `unverified` come from. @default as the option */
  spell?: ((names: string[]) => string) | undefined
  /** Files beside WebAssembly that `fetch` is to check: all, or those that a pattern names. */
  resources: boolean | readonly string[]
  /** Integrity metadata of external modules by URL. */
  external: ReadonlyMap<string, string>
  /** What the package ships for pages. */
  page: PageCode
  /** The built report-only bootstrap, where pages get that and refuse nothing. */
  reportOnly?: string | undefined
}

/** What became of an output. */
export interface Emitted {
  changed: Changes['changed']
  /** Hashes of all files, the page manifests' too. */
  digests: Map<string, string>
  /** Static imports, for the manifest of the whole output. */
  imports: Map<string, StaticImport[]>
  bootstrap: Bootstrap
  /** The page manifests: the pages' and one for each entry of its own. */
  manifests: string[]
  /** Files of ours: page manifests, runtimes, stand-ins, and the bootstrap where it is linked. */
  own: string[]
  /** How many pages start through the bootstrap. */
  pages: number
  /** Names of the entries that a backend's pages start. */
  templates: string[]
  /** Entries that start by themselves. */
  entries: StartedEntry[]
  /** What survives, but not as it was. */
  warnings: string[]
  /** Of a report-only output: what is known of the one that would refuse. */
  reportOnly?: ReportOnly
  /** What a policy must allow for the import map of a page, where that is the same in each view, by page. */
  maps: Map<string, FixedMap>
  /** External modules that pages may load, with their integrity metadata. */
  external: Map<string, string>
  /** What is not checked and was accepted. */
  accepted: Uncovered[]
  /** Entries, stylesheets and classic scripts that a page's tag checks, and stylesheets that chunks load checked. */
  checked: Set<string>
  /** Files that `fetch` checks. */
  fetched: Set<string>
}

/**
 * Signs a finished output: rewrites its modules, lists what pages and other entries load in signed page manifests, and
 * makes them start through a bootstrap.
 * @param parse a module's syntax tree; without it, nothing is warned of
 * @param inlined workers whose scripts are texts in other chunks
 * @throws SignedImpError on an output whose code would not all be checked, or could not be told apart
 */
export async function emitOutput(
  output: Output,
  release: Release,
  parse?: Parse,
  inlined: readonly InlinedWorker[] = [],
): Promise<Emitted> {
  checkPaths(output)
  const changes = createChanges(output)
  const graph = createGraph(output, release.base)
  const { unverified } = release
  const started = findStarted(output, graph)
  const templates: Templates = release.backend ? addTemplates(output, started, release) : new Map()
  const workers = await findWorkers(output, graph, unverified, started)
  const moved = moveEntries(output, started, graph, unverified, changes)
  moveNames(workers, moved)
  try {
    const given = { output, graph, templates, moved, workers, inlined, changes }
    return await emitMoved(given, release, parse)
  } catch (error) {
    throw nameAsBuilt(error, moved)
  }
}

/** An output whose module entries have moved to their main chunks. */
interface Moved {
  output: Output
  graph: Graph
  templates: Templates
  moved: ModuleEntry[]
  workers: FoundWorkers
  inlined: readonly InlinedWorker[]
  changes: Changes
}

async function emitMoved(given: Moved, release: Release, parse?: Parse): Promise<Emitted> {
  const { output, graph, templates, moved, workers, inlined, changes } = given
  const hasPages = moved.length === 0 || [...output.keys()].some(isPage)
  const hasAliases = !hasPages && !release.pagesLater
  if (release.tags && ![...output.keys()].some(isPage)) throw noPage
  const spelling = { hasAliases, base: release.tags ? release.base : undefined }
  const linked = await linkModules(output, graph, moved, workers.loads, spelling, changes)
  refuseForeignInWorkers(workers, linked)
  const pattern = guardedPattern(release)
  const guarded = [...output.keys()].filter((path) => pattern.test(path))
  if (moved.length > 0) linked.resources = findNamed(output, guarded)
  if (moved.length > 0 || release.pagesLater) refuseBesideEntries(linked)
  const bootstrap = createBootstrap(release.page, release.keys, release.threshold, pattern)
  const plan = planWorkers(workers, linked, output, release)
  const guards = createGuards(release.page, workers.isGuarded ? plan : undefined)
  const startsPages = hasPages || release.pagesLater
  const own = [
    ...ownFiles(bootstrap, release, hasPages, hasAliases),
    ...(guarded.length > 0 ? [bootstrap.fetch] : []),
    ...(startsPages ? guards.pages : []),
    ...(moved.length > 0 ? guards.entries : []),
  ]
  const need = { standIns: moved.length > 0, noCircle: release.tags }
  const standIns = createStandIns(linked, need)
  const copied = await findCopied(output)
  for (const [path, list] of copied) linked.imports.set(path, list)
  addOwnFiles(own, standIns, output, changes)

  const digests = hashFiles(output, release.hash, (path) => isForPages(path, release))
  const startable = { ...linked, digests, bootstrap, guards, hasAliases, copied }
  const findForeign = (mains: readonly string[]) => foreignOf(linked, mains)
  const { pages, manifest } = hasPages
    ? await startPages(output, release, { graph, ...startable, foreignOf: findForeign }, changes)
    : noPages
  refuseUnloaded(
    linked,
    pages.flatMap((page) => page.foreign),
  )
  const entries = await startEntries(moved, startable, release, changes)
  const hidden = pages.flatMap(({ path, entries: own }) => (templates.has(path) ? own : []))
  editViteManifest(output, release.viteManifest, entries, hidden, changes)

  const manifests = [...(manifest ? [manifest] : []), ...entries.map((entry) => entry.manifest)]
  nameByContent(output, manifests, entries)
  const maps = new Map(pages.flatMap(({ path, fixed }) => (fixed ? [[path, fixed] as const] : [])))
  const hasWorkers = workers.scripts.size > 0 && plan.unverified.length === 0
  writeTemplates(templates, pages, output, { ...release, hasWorkers }, changes)
  const headers = writeHeaders(output, release, maps, hasWorkers)
  addHeaders(headers, output, changes)
  const ownPaths = [...own.map(({ fileName }) => fileName), ...standIns.keys(), backendList]
  const checked = [
    ...pages.flatMap((page) => page.checked),
    ...entries.map(({ path }) => path),
    ...[...linked.styles.values()].flat(),
    ...workers.scripts,
  ]
  const fetched = moved.length > 0 ? [...linked.resources.values()].flat() : guarded
  const uncovered = [
    ...pages.flatMap((page) => page.uncovered),
    ...findUncovered(output, new Set([...checked, ...ownPaths, ...fetched])),
    ...findEarly(pages, output, guarded),
    ...(await findLoadingInlined(inlined)),
  ]
  return {
    changed: changes.changed,
    digests: hashFiles(output, release.hash, () => true, digests),
    imports: linked.imports,
    bootstrap,
    manifests,
    own: [...manifests, ...ownPaths, ...headers.texts.keys()],
    pages: pages.filter((page) => page.entries.length > 0).length,
    templates: [...templates.values()],
    entries,
    warnings: [
      ...(parse ? moved.flatMap((entry) => warnOf(entry, output, linked, parse)) : []),
      ...(moved.length > 0 && standIns.size > 0 ? [circleWarning(standIns)] : []),
      ...(release.tags ? pages.flatMap(mapWarnings) : []),
      ...headers.warnings,
    ],
    maps,
    external: new Map(pages.flatMap((page) => [...page.external])),
    accepted: acceptUncovered(uncovered, release.unverified, release.spell),
    checked: new Set(checked),
    fetched: new Set(fetched),
  }
}

/** An error about main chunks, by the names that the bundler gave them: nobody knows the others while the build fails. */
function nameAsBuilt(error: unknown, moved: readonly ModuleEntry[]): unknown {
  if (!(error instanceof SignedImpError)) return error
  const { code, path, message, cause } = error
  const names = new Map(moved.map(({ main, from }) => [main, from]))
  const reason = message
    .slice(`${code} ${path ? `${path}: ` : ''}`.length)
    .replace(/[^\s"'(),:;]+/g, (word) => names.get(word) ?? word)
  return new SignedImpError(code, reason, { ...(path && { path: names.get(path) ?? path }), cause })
}

const noPages: Partial<StartedPages> & Pick<StartedPages, 'pages'> = { pages: [] }

const noPage = new SignedImpError(
  'ERR_SIGNEDIMP_OUTPUT',
  'there is no page in this output, and the option "tags" is for pages; leave it out',
)

/** What has a meaning by an import map only cannot be loaded by tags, and what a page starts with imports it. */
const mapWarnings = ({ path, foreign }: RewrittenPage): string[] =>
  foreign
    .filter(({ isStatic }) => isStatic)
    .slice(0, 1)
    .map(
      ({ from, specifier }) =>
        `tags: ${path} refuses what imports "${specifier}", as ${from} does, where there is no import map; tags load only modules of the build: bundle it`,
    )

const circleWarning = (standIns: ReadonlyMap<string, string>): string =>
  `some modules import one another in a circle (${[...standIns.keys()].join(', ')} stand in for them): where modules are linked in memory, as in Firefox, what such a module exports, functions too, is undefined to the others until it has run`

/** @throws SignedImpError `ERR_SIGNEDIMP_PATH` */
export function checkPaths(output: Output): void {
  for (const path of output.keys())
    if (!isPath(path))
      throw new SignedImpError('ERR_SIGNEDIMP_PATH', 'cannot be listed in a manifest; rename it', {
        path,
      })
}
