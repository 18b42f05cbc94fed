/** What runs first in a worker: tells it where it is, and what checks what it loads. */
import { pathToUrl } from '../../manifest/path.js'
import type { SignedImpError } from '../../errors.js'
import type { Linkable, Registry } from '../context.js'
import { nativeFetch } from '../download.js'
import { guardListed } from '../guard-listed.js'
import { createImport, createMeta } from '../import.js'
import { createBlob } from '../link.js'
import { createLinked, fetchText, type Linked } from '../linked.js'
import { importNatively } from '../native-import.js'
import { isRefusal, notEnforceable } from '../refuse.js'
import { randomName } from '../random-name.js'
import { verifier } from '../verifier.js'
import type { WorkerBoot } from './boot.js'
import { setLocation, setRequests } from './environment.js'
import { guardWorkers } from './guard.js'
import { holdMessages } from './hold.js'
import { guardImportScripts, runBlob } from './import-scripts.js'
import { toUnverified } from './page.js'
import { createRelay } from './relay.js'
import { createRoots } from './roots.js'

/** Makes this worker what its script expects, and runs that, unless it stands behind this text. */
export function startWorker(boot: WorkerBoot): void {
  const [root, fragment] = location.href.split('#')
  const context = createContext(boot)
  const real = new URL(fragment ? decodeURIComponent(fragment) : context.toUrl(boot.path))
  const tell = createRelay(boot.channel)
  const trust = createTrust()
  const native = boot.isModule ? () => {} : importScripts.bind(self)
  const { link, evaluate } = createLinked(context, importNatively, {
    native: (path) => boot.blobs?.[path],
  })
  const registry: Registry = {
    import: createImport(
      context,
      async (path, options) => evaluate(await link(path), options),
      tell,
    ),
    meta: createMeta(context, (url) => url),
    link: (element) => element,
  }
  Object.defineProperty(self, '__signedimp', { value: Object.freeze(registry) })

  const { plan, channel, path, blobs } = boot
  const unverified = toUnverified(plan, context.toUrl(''))
  const scripts = { base: () => real.href, unverified, isGuest: false, tell, trust }
  // One that starts its like has what that starts from.
  const own = blobs ? { [path]: { [boot.isModule ? 'module' : 'classic']: root } } : {}
  const roots = createRoots(context, { plan, channel, roots: { ...boot.roots, ...own } })
  setLocation(real)
  setRequests(real)
  guardListed(context, { pattern: plan.guarded, base: () => real.href, tell })
  if ('Worker' in self) guardWorkers(context, { ...scripts, rootOf: roots.rootOf })
  if (!boot.isModule) guardImportScripts(context, scripts)
  if (!blobs) loadLate(boot, context, link, native, trust, tell)
}

function createContext({ url, files, imports, ...boot }: WorkerBoot): Linkable {
  const { hash, name, build, pinned, credentials } = boot
  const manifest = { hash, name, build, files: new Map(files), imports: new Map(imports) }
  return {
    manifest: manifest as unknown as Linkable['manifest'],
    toUrl: (path) => pathToUrl(path, url),
    fetch: nativeFetch,
    byTag: () => Promise.reject(noBlobs()),
    stored: new Uint8Array(),
    verifier,
    pinned,
    credentials,
    url,
    name,
    build,
  }
}

/** How long what a worker says last may take to its maker, in milliseconds. */
const lastWords = 1000

const noBlobs = () =>
  notEnforceable('no blobs in workers; let script-src allow blob: or strict-dynamic')

/** What a page requires of URLs of scripts, its workers must give, too. */
function createTrust(): (url: string) => string {
  const asIs = (url: string) => url
  try {
    const policy = trustedTypes.createPolicy('signedimp', { createScriptURL: asIs })
    return (url) => policy.createScriptURL(url)
  } catch {
    return asIs
  }
}

/** Loads the script itself, which is not here yet. Messages wait for it. */
async function loadLate(
  boot: WorkerBoot,
  context: Linkable,
  link: Linked['link'],
  native: (...urls: string[]) => void,
  trust: (url: string) => string,
  tell: (refused: SignedImpError) => void,
): Promise<void> {
  const flush = holdMessages()
  try {
    if (boot.isModule) await runModule(await link(boot.path), flush)
    else {
      const text = await fetchText(context, boot.path)
      setTimeout(flush)
      runBlob(`${text}\n//# sourceURL=${context.toUrl(boot.path)}`, native, trust)
    }
  } catch (error) {
    reportError(error)
    if (!isRefusal(error)) return flush()
    tell(error)
    // Nothing runs here: the engine ends one whose script did not come, too. Firefox may lose what is reported just before.
    setTimeout(() => close(), lastWords)
  }
}

/** Lets messages go when the script begins: one that awaits some while it first evaluates gets them. */
async function runModule(urls: string[], flush: () => void): Promise<void> {
  await importNatively(createBlob('', '.js')).catch(() => {
    throw noBlobs()
  })
  const hook = randomName()
  const value = () => void setTimeout(flush)
  Object.defineProperty(self, hook, { configurable: true, value })
  const first = createBlob(`self["${hook}"]();delete self["${hook}"]`, '.js')
  const declarations = [first, ...urls].map((url) => `import"${url}"`)
  await importNatively(createBlob(declarations.join(';'), '.js'))
}
