import { SignedImpError } from '../errors.js'
import { backendList } from '../manifest/names.js'
import { isPath } from '../manifest/path.js'
import { addTemplates, writeTemplates, type Templates } from './backend.js'
import { createBootstrap, createGuards, type Bootstrap, type Guards } from './bootstrap.js'
import { createChanges, type Changes } from './changes.js'
import { findCopied } from './copied.js'
import { acceptUncovered, findUncovered } from './coverage.js'
import { findStarted, moveEntries, type ModuleEntry } from './entries.js'
import { foreignOf, refuseBesideEntries, refuseUnloaded } from './foreign.js'
import { createGraph, type Graph } from './graph.js'
import { findEarly, findNamed, guardedPattern } from './guarded.js'
import { addHeaders, writeHeaders, type WrittenHeaders } from './headers.js'
import type { RewrittenPage } from './html.js'
import { hashFiles, isForPages } from './manifest.js'
import { createStandIns, linkModules, type LinkedModules } from './modules.js'
import { isPage, type Output, type Uncovered } from './output.js'
import { addOwnFiles, nameByContent, ownFiles } from './own-files.js'
import { startPages, type StartedPages } from './pages.js'
import type { Emitted, Release } from './release.js'
import { startEntries } from './start.js'
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
  const workers = await findWorkers(output, graph, unverified, started)
  const templates = addTemplates(output, started, release)
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
  const linked = await linkMoved(given, release)
  const own = await addOwn(linked, release)
  const started = await startLinked(linked, own, release)
  const inlined = await findLoadingInlined(given.inlined)
  return report(linked, own, { ...started, inlined }, release, parse)
}

/** An output whose modules are rewritten. */
interface Linked extends Moved {
  linked: LinkedModules
  /** Whether the output has pages, or may get some. */
  hasPages: boolean
  /** Whether modules go by names that only a late import map gives a meaning. */
  hasAliases: boolean
  /** Files that `fetch` checks, and the pattern that tells. */
  guarded: string[]
  pattern: RegExp
}

async function linkMoved(given: Moved, release: Release): Promise<Linked> {
  const { output, graph, moved, workers, changes } = given
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
  return { ...given, linked, hasPages, hasAliases, guarded, pattern }
}

/** The files of ours, and what starts with them. */
interface Own {
  bootstrap: Bootstrap
  guards: Guards
  /** Whether each worker is checked, if there is any. */
  checksWorkers: boolean
  standIns: Map<string, string>
  copied: Awaited<ReturnType<typeof findCopied>>
  paths: string[]
}

async function addOwn(given: Linked, release: Release): Promise<Own> {
  const { output, linked, moved, workers, hasPages, hasAliases, guarded, changes } = given
  const bootstrap = createBootstrap(release.page, release.keys, release.threshold, given.pattern)
  const plan = planWorkers(workers, linked, output, release)
  const guards = createGuards(release.page, workers.isGuarded ? plan : undefined)
  const own = [
    ...ownFiles(bootstrap, release, hasPages, hasAliases),
    ...(guarded.length > 0 ? [bootstrap.fetch] : []),
    ...(hasPages || release.pagesLater ? guards.pages : []),
    ...(moved.length > 0 ? guards.entries : []),
  ]
  const need = { standIns: moved.length > 0, noCircle: release.tags }
  const standIns = createStandIns(linked, need)
  const copied = await findCopied(output)
  for (const [path, list] of copied) linked.imports.set(path, list)
  addOwnFiles(own, standIns, output, changes)
  return {
    bootstrap,
    guards,
    checksWorkers: workers.scripts.size > 0 && plan.unverified.length === 0,
    standIns,
    copied,
    paths: [...own.map(({ fileName }) => fileName), ...standIns.keys()],
  }
}

/** What starts, and what says how to serve it. */
interface Started extends Pick<Emitted, 'digests' | 'manifests' | 'entries' | 'maps'> {
  pages: readonly RewrittenPage[]
  headers: WrittenHeaders
}

async function startLinked(given: Linked, own: Own, release: Release): Promise<Started> {
  const { output, graph, linked, moved, hasPages, hasAliases, changes } = given
  const { bootstrap, guards, copied } = own
  const digests = hashFiles(output, release.hash, (path) => isForPages(path, release))
  const startable = { ...linked, digests, bootstrap, guards, hasAliases, copied }
  const findForeign = (mains: readonly string[]) => foreignOf(linked, mains)
  const { pages, manifest } = hasPages
    ? await startPages(output, release, { graph, ...startable, foreignOf: findForeign }, changes)
    : noPages
  const foreign = pages.flatMap((page) => page.foreign)
  refuseUnloaded(linked, foreign)
  const entries = await startEntries(moved, startable, release, changes)
  const hidden = pages.flatMap((page) => (given.templates.has(page.path) ? page.entries : []))
  editViteManifest(output, release.viteManifest, entries, hidden, changes)
  const manifests = [...(manifest ? [manifest] : []), ...entries.map((entry) => entry.manifest)]
  nameByContent(output, manifests, entries)
  const maps = new Map(pages.flatMap(({ path, fixed }) => (fixed ? [[path, fixed] as const] : [])))
  writeTemplates(given.templates, pages, output, { ...release, ...own }, changes)
  const headers = writeHeaders(output, release, maps, own.checksWorkers)
  addHeaders(headers, output, changes)
  return { digests, manifests, entries, maps, pages, headers }
}

/** Says what became of an output. */
function report(
  given: Linked,
  own: Own,
  started: Started & { inlined: Uncovered[] },
  release: Release,
  parse?: Parse,
): Emitted {
  const { output, linked, moved, guarded, changes } = given
  const { pages, entries, manifests, headers, maps } = started
  const checked = new Set([
    ...pages.flatMap((page) => page.checked),
    ...entries.map(({ path }) => path),
    ...[...linked.styles.values()].flat(),
    ...given.workers.scripts,
  ])
  const fetched = moved.length > 0 ? [...linked.resources.values()].flat() : guarded
  const uncovered = [
    ...pages.flatMap((page) => page.uncovered),
    ...findUncovered(output, new Set([...checked, ...own.paths, ...fetched])),
    ...findEarly(pages, output, guarded),
    ...started.inlined,
  ]
  return {
    changed: changes.changed,
    digests: hashFiles(output, release.hash, () => true, started.digests),
    imports: linked.imports,
    bootstrap: own.bootstrap,
    manifests,
    own: [...manifests, ...own.paths, ...headers.texts.keys(), backendList],
    pages: pages.filter((page) => page.entries.length > 0).length,
    templates: [...given.templates.values()],
    entries,
    warnings: [
      ...(parse ? moved.flatMap((entry) => warnOf(entry, output, linked, parse)) : []),
      ...(moved.length > 0 && own.standIns.size > 0 ? [circleWarning(own.standIns)] : []),
      ...(release.tags ? pages.flatMap(mapWarnings) : []),
      ...headers.warnings,
    ],
    maps,
    external: new Map(pages.flatMap((page) => [...page.external])),
    accepted: acceptUncovered(uncovered, release.unverified, release.spell),
    checked,
    fetched: new Set(fetched),
  }
}

/** An error about main chunks, by the names that the bundler gave them: nobody knows the others while the build fails. */
export function nameAsBuilt(error: unknown, moved: readonly ModuleEntry[]): unknown {
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
