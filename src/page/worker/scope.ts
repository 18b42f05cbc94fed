/** What runs first in a worker: tells it where it is, and what checks what it loads. */
import { pathToUrl } from '../../manifest/path.js'
import type { SignedImpError } from '../../errors.js'
import type { Linkable, Registry } from '../context.js'
import { nativeFetch } from '../download.js'
import { guardListed } from '../guard-listed.js'
import { createImport, createMeta, type Load } from '../import.js'
import { createBlob } from '../link.js'
import { createLinked, fetchText, type Linked } from '../linked.js'
import { importNatively } from '../native-import.js'
import { isRefusal, notEnforceable } from '../refuse.js'
import { randomName } from '../random-name.js'
import { verifier } from '../verifier.js'
import type { WorkerBoot } from './boot.js'
import { setLocation, setRequests } from './environment.js'
import { guardWorkers, type Scripts } from './guard.js'
import { holdMessages } from './hold.js'
import { createJudge } from './judge.js'
import { guardImportScripts, runBlob } from './import-scripts.js'
import { toUnverified } from './page.js'
import { createRelay } from './relay.js'
import { createRoots } from './roots.js'

/** Makes this worker what its script expects, and runs that, unless it stands behind this text. */
export function startWorker(boot: WorkerBoot): void {
  const [root = '', fragment] = location.href.split('#')
  const context = createContext(boot)
  const real = new URL(fragment ? decodeURIComponent(fragment) : context.toUrl(boot.path))
  const load = { tell: createRelay(boot.channel), trust: createTrust(), native: nativeOf(boot) }
  const { link } = provideRegistry(boot, context, load.tell)
  setLocation(real)
  setRequests(real)
  guardListed(context, { pattern: boot.plan.guarded, base: () => real.href, tell: load.tell })
  guard(boot, context, { ...load, base: () => real.href }, root)
  if (!boot.blobs) loadLate(boot, context, link, load)
}

/** The engine's own `importScripts`; a module has none that works. */
const nativeOf = ({ isModule }: WorkerBoot): typeof importScripts =>
  isModule ? () => {} : importScripts.bind(self)

/** What a late script is run with. */
interface Late extends Pick<Scripts, 'trust'> {
  tell(refused: SignedImpError): void
  native: typeof importScripts
}

/** Gives chunks what they import with. */
function provideRegistry(boot: WorkerBoot, context: Linkable, tell: Late['tell']): Linked {
  const linked = createLinked(context, importNatively, { native: (path) => boot.blobs?.[path] })
  const load: Load = async (path, options) => linked.evaluate(await linked.link(path), options)
  const registry: Registry = {
    import: createImport(context, load, tell),
    meta: createMeta(context, (url) => url),
    link: (element) => element,
  }
  Object.defineProperty(self, '__signedimp', { value: Object.freeze(registry) })
  return linked
}

/** @param root URL of the blob that this worker started from */
function guard(
  { plan, channel, path, blobs, isModule, roots }: WorkerBoot,
  context: Linkable,
  given: Pick<Scripts, 'tell' | 'trust'> & { base(): string },
  root: string,
): void {
  const unverified = toUnverified(plan, context.toUrl(''))
  const judge = createJudge(context, given.base, unverified)
  const scripts = { ...given, judge, isGuest: false }
  // One that starts its like has what that starts from.
  const own = blobs ? { [path]: { [isModule ? 'module' : 'classic']: root } } : {}
  const { rootOf } = createRoots(context, { plan, channel, roots: { ...roots, ...own } })
  if ('Worker' in self) guardWorkers({ ...scripts, rootOf })
  if (!isModule) guardImportScripts(context, scripts)
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
  { tell, trust, native }: Late,
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
    if (!isRefusal(error)) return
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
