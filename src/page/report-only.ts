/**
 * What a page of a report-only build runs beside its app, instead of a bootstrap: checks what the page has loaded, tells
 * what an enforcing page would refuse, and refuses nothing. A file of its own, so that no bootstrap that refuses has a
 * way not to.
 */
import type { SignedImpError } from '../errors.js'
import { isModulePath, pathToUrl } from '../manifest/path.js'
import { refusal } from '../manifest/refusal.js'
import type { Boot, PageData, Pinned } from './context.js'
import { diagnose } from './diagnose.js'
import { download, maxFileBytes, nativeFetch } from './download.js'
import { proveEnforceable } from './enforceable.js'
import { diagnoseExternal } from './external.js'
import { createPathOf } from './import.js'
import { isListed } from './integrity.js'
import { watchLoads } from './loads.js'
import { fetchManifest } from './manifest.js'
import { rememberBuild } from './memory.js'
import { proveNamed } from './prove.js'
import { isRefusal, notEnforceable } from './refuse.js'
import { createTell } from './tell.js'
import { verifier } from './verifier.js'

// An element named "currentScript" hides the property of the document, not the getter of its prototype.
const carrier = Reflect.get(Document.prototype, 'currentScript', document) as HTMLScriptElement
const data = carrier.dataset as PageData & { external?: string }
/** Integrity metadata of external modules by URL, an empty text for those that `unverified` names. */
const external: Record<string, string> = JSON.parse(data.external ?? '{}')

/** In other words, and under another name, than of a refusal: nothing that shows refusals may take it for one. */
const announce = (refused: SignedImpError): boolean => {
  console.warn(`signedimp, report-only: an enforcing page would refuse this: ${refused.message}`)
  return dispatchEvent(new CustomEvent('signedimp:report-only', { detail: refused }))
}

const tell = createTell(data, announce, { mode: 'report-only' })

/** Never throws: whatever fails here is no business of the app. */
function tellAny(error: unknown): void {
  try {
    tell(isRefusal(error) ? error : notEnforceable(`${error}`))
  } catch {
    // An address that nothing can be sent to, as from a page that is a file.
  }
}

/** Milliseconds before something is asked for again. */
const pause = 2000

const later = (milliseconds: number) => new Promise((settle) => setTimeout(settle, milliseconds))

/** Without an answer asks once more, later: a page that is being left gets none, and is gone by then. */
async function insist<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!/_(NETWORK|TIMEOUT)$/.test((error as SignedImpError).code)) throw error
    await later(pause)
    return work()
  }
}

/** Settles when the page has loaded and has nothing better to do. */
async function idle(): Promise<void> {
  if (document.readyState !== 'complete')
    await new Promise((settle) => addEventListener('load', settle))
  await ('requestIdleCallback' in self
    ? new Promise((settle) => requestIdleCallback(settle, { timeout: pause }))
    : later(100))
}

/** Checks what an enforcing page starts with. @returns undefined where that page would not start, which is told */
async function open(): Promise<Boot | undefined> {
  try {
    await idle()
    if (!__PURE__ && !isSecureContext) throw notEnforceable('no https (pure: false)')
    const { name, build, credentials } = data
    const pinned: Pinned = __SIGNEDIMP_PINNED__
    const url = new URL(data.manifest!, document.baseURI).href
    const trust = { ...pinned, name: `${name}`, build: (build && +build) as number | undefined }
    const found = await insist(() => fetchManifest(url, trust, { credentials: credentials! }))
    const toUrl = (path: string) => pathToUrl(path, url)
    const boot: Boot = { pinned, verifier, ...found, url, credentials, toUrl, fetch: nativeFetch }
    await proveNamed(boot)
    if (pinned.remember) rememberBuild(boot, pinned.remember)
    await proveEnforceable(carrier, data.tags !== undefined).catch(tellAny)
    return boot
  } catch (error) {
    tellAny(error)
    return undefined
  }
}

const opening = open().then((boot) => boot && { boot, pathOf: createPathOf(boot) })

/** Whether anything of an enforcing page checks such a file. */
const isEnforced = (path: string): boolean => isModulePath(path) || path.endsWith('.css')

/** @throws SignedImpError on what an enforcing page would refuse of a listed file; from a cache, mostly, where the page got it */
async function check(boot: Boot, path: string): Promise<void> {
  const init = { credentials: boot.credentials!, cache: 'force-cache', priority: 'low' } as const
  const { response, bytes } = await download(boot.toUrl(path), maxFileBytes, init)
  if (response.ok && (await isListed(boot, path, bytes))) return
  const other = 'a cached copy has other bytes than the signed ones, a second fetch saw these'
  throw (await diagnose(boot, [path])) ?? refusal('REFUSED', other, path)
}

/** @param isImported whether modules alone can have asked for it */
async function inspect(url: string, isImported: boolean): Promise<void> {
  const opened = await opening
  if (!opened) return
  const { boot, pathOf } = opened
  const path = pathOf(url)
  if (path !== undefined) return isEnforced(path) ? insist(() => check(boot, path)) : undefined
  const integrity = external[url]
  if (integrity) {
    const map = JSON.stringify({ imports: {}, integrity: { [`${url}#`]: integrity } })
    const refused = await diagnoseExternal({ map })
    if (refused) throw refused
  } else if (isImported && integrity === undefined && url.startsWith('http'))
    throw refusal('UNLISTED', 'a module imports it, and the manifest does not list it', url)
}

console.warn(
  'signedimp, report-only: this page checks what it has loaded, and REFUSES NOTHING. It is not protected.',
)
let last: Promise<unknown> = opening
try {
  watchLoads((url, isImported) => {
    last = last.then(idle).then(() => inspect(url, isImported).catch(tellAny))
  })
} catch (error) {
  tellAny(error)
}
