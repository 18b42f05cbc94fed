/**
 * What an entry's file is when no page of the build starts it: it checks the entry's manifest, runs the main chunk
 * checked, and hands its exports on. Module form of the bootstrap.
 */
import { pathToUrl } from '../manifest/path.js'
import { refusal } from '../manifest/refusal.js'
import type { SignedImpError } from '../errors.js'
import type { ModuleBoot, ModuleRuntime } from './context.js'
import { nativeFetch } from './download.js'
import { holdMilestones } from './events.js'
import { runFromBlob } from './from-blob.js'
import { fetchManifest } from './manifest.js'
import { enforceMap, findCarrier, runModule, trusted } from './map.js'
import { rememberBuild } from './memory.js'
import { proveNamed } from './prove.js'
import { newName } from './random-name.js'
import { announce, isRefusal, notEnforceable, showNote } from './refuse.js'
import { sendReport } from './report.js'
import { verifier } from './verifier.js'

/** How long an app that awaits something while it first evaluates keeps the document's milestones, in milliseconds. */
const patience = 2000

const entry = __SIGNEDIMP_ENTRY__
const pinned = __SIGNEDIMP_PINNED__

async function open(): Promise<unknown> {
  if (typeof document === 'undefined') throw notEnforceable('no document')
  const release = holdOnce()
  const announced = noteAnnouncements()
  try {
    const runtime = await start().catch((error) => {
      throw isRefusal(error) ? error : notEnforceable(`${error}`)
    })
    return await runtime.main(entry.main, () => setTimeout(release, patience))
  } catch (error) {
    // What the app itself throws is its own.
    if (isRefusal(error)) tell(error, announced.get(error))
    throw error
  } finally {
    release()
  }
}

const start = async (): Promise<ModuleRuntime> => join(await boot())

/** Holds the document's milestones. @returns lets them go, the first time that it is called */
function holdOnce(): () => void {
  let release: (() => void) | undefined = holdMilestones()
  return () => {
    release?.()
    release = undefined
  }
}

/** What runtimes announce by themselves, as when the app awaits a refused import while it first evaluates. */
function noteAnnouncements(): Map<unknown, Event> {
  const announced = new Map<unknown, Event>()
  addEventListener('signedimp:refusal', (event) =>
    announced.set((event as CustomEvent).detail, event),
  )
  return announced
}

/** A page that did not start by this file is its owner's to speak to. */
function tell(error: SignedImpError, announced: Event | undefined): void {
  if (!announced) sendReport(entry, error)
  const isUnheard = announced ? !announced.defaultPrevented : announce(error)
  if (isUnheard && isStarted()) showNote(error)
}

/** Whether a tag of the page runs this file, as opposed to other code that imports it. */
const isStarted = (): boolean =>
  [...document.scripts].some(({ type, src }) => type === 'module' && src === import.meta.url)

async function boot(): Promise<ModuleBoot> {
  if (!__PURE__ && !isSecureContext) throw notEnforceable('no https (pure: false)')
  const base = entry.base ? new URL(entry.base, import.meta.url).href : findBase()
  const url = pathToUrl(entry.manifest, base)
  const toUrl = (path: string) => pathToUrl(path, base)
  const carrier = findCarrier()
  if (!document.querySelector('[type=importmap i]')) preloadAll(toUrl, carrier.nonce)
  const { name, build } = entry
  const context: ModuleBoot = {
    pinned,
    verifier,
    ...(await fetchManifest(url, { ...pinned, name, build })),
    url,
    credentials: undefined,
    toUrl,
    fetch: nativeFetch,
    name,
    build,
    report: entry.report,
    id: JSON.stringify([base, name, pinned]),
    carrier,
    byTag: (src) => runModule(src, carrier),
    trusted,
  }
  await proveNamed(context)
  if (__REMEMBER__) rememberBuild(context, pinned.remember!)
  return context
}

/** Starts downloads beside the manifest's. Under the hash that the map will ask for, each is asked for once. */
function preloadAll(toUrl: (path: string) => string, nonce: string): void {
  for (const [path, integrity] of entry.preload) {
    const link = document.createElement('link')
    link.rel = 'preload'
    link.as = 'script'
    link.crossOrigin = ''
    link.integrity = integrity
    link.nonce = nonce
    link.href = toUrl(path)
    document.head.append(link)
  }
}

/** The output's folder, which is where the file's own path starts. */
function findBase(): string {
  const own = new URL(import.meta.url)
  own.search = own.hash = ''
  const base = new URL('../'.repeat(entry.path.split('/').length - 1) || './', own).href
  // Servers and backends may escape more of a name than need be.
  const [wanted, found] = [pathToUrl(entry.path, base), own.href].map(decodeURIComponent)
  if (wanted !== found) throw notEnforceable('another place')
  return base
}

/** Entries of one app share what the first of them began: a module is one instance, whoever imports it. */
async function join(context: ModuleBoot): Promise<ModuleRuntime> {
  for (;;) {
    const first = Reflect.get(self, '__signedimp') as ModuleRuntime | undefined
    if (!first) return begin(context)
    if (first.id !== context.id) throw notEnforceable('another signed app')
    // One that refused is no longer there.
    const runtime = await first.ready!.catch(() => undefined)
    if (runtime) return add(runtime, context)
  }
}

async function begin(context: ModuleBoot): Promise<ModuleRuntime> {
  const claim = (configurable: boolean) =>
    Object.defineProperty(self, '__signedimp', { value: context, configurable })
  claim(true)
  context.ready = enforce(context)
  try {
    await context.ready
    Object.freeze(context)
    claim(false)
  } catch (error) {
    Reflect.deleteProperty(self, '__signedimp')
    throw error
  }
  return context as ModuleRuntime
}

/** Makes the first enforcement that the page lets prove itself, and runs its runtime. */
async function enforce(context: ModuleBoot): Promise<ModuleRuntime> {
  const { manifest, toUrl, carrier } = context
  const map =
    entry.late && (await enforceMap(manifest, toUrl, carrier, newName()).catch(() => undefined))
  Object.assign(context, map)
  if (!map) await runFromBlob(context, entry.blob)
  else if ((await context.byTag(toUrl(entry.late!) + map.salt)) !== 'load')
    throw refusal('REFUSED', 'not as signed', entry.late)
  return context as ModuleRuntime
}

/** Adds what another entry may load to what its app on this page may load. */
async function add(runtime: ModuleRuntime, { manifest }: ModuleBoot): Promise<ModuleRuntime> {
  const { hash, files, imports } = runtime.manifest
  for (const [path, digest] of manifest.files)
    if (manifest.hash !== hash || (files.get(path) ?? digest) !== digest)
      throw refusal('VERSION_SKEW', 'another build of it is on the page', path)
  if (runtime.salt)
    await enforceMap(manifest, runtime.toUrl, runtime.carrier, newName(), '', runtime.salt)
  for (const [path, digest] of manifest.files) files.set(path, digest)
  for (const [path, list] of manifest.imports) imports.set(path, list)
  return runtime
}

/** The plugin hands on what this exports, by this name. Last, because all above must be there. */
export const __signedimpMain = await open()
