/** A folder that somebody signed, anywhere: what a manager checks it by, and how its modules run. */
import { mainOf, insertLast } from '../manifest/linking.js'
import { pathToUrl } from '../manifest/path.js'
import { refusal } from '../manifest/refusal.js'
import type { SignedImpError } from '../errors.js'
import { createCheckedFetch, type CheckedFetch } from './checked-fetch.js'
import type { Boot, Registry } from './context.js'
import { nativeFetch } from './download.js'
import { createImport, createMeta, createPathOf } from './import.js'
import { trustKey } from './keys.js'
import { createLinked, deadline, type Linked } from './linked.js'
import type { Required } from '../manifest/manager-options.js'
import { fetchManifest } from './manifest.js'
import { rememberBuild } from './memory.js'
import { provideNative, type Native } from './native.js'
import { proveNamed } from './prove.js'
import { notEnforceable } from './refuse.js'
import { createLink } from './style.js'
import { verifier } from './verifier.js'
import { either } from './whole.js'

/** A root whose manifest was checked. */
export interface Root {
  boot: Boot
  /** Path of a URL. @throws SignedImpError `ERR_SIGNEDIMP_UNLISTED` */
  pathOf(href: string): string
  /** Runs a module; of an entry's file, its main chunk. @returns the namespace */
  load(path: string, options?: ImportCallOptions): Promise<unknown>
  /** Gets a file; tells nobody what it refuses. */
  fetch: CheckedFetch
}

/**
 * Checks a root's manifest, and that its modules can be run.
 * @param removed aborted when the root is taken away
 * @param tell told of each refusal of what its modules import
 * @throws SignedImpError
 */
export async function openRoot(
  base: string,
  required: Required,
  removed: AbortSignal,
  tell: (refused: SignedImpError) => void,
): Promise<Root> {
  if (typeof document === 'undefined') throw notEnforceable('no document')
  if (!isSecureContext) throw notEnforceable('no https')
  const boot = await checkManifest(base, required)
  let linked: LinkedRoot
  const load: Root['load'] = async (path, options) => {
    refuseRemoved(removed, path)
    const own = await linked.link(path)
    const main = linked.mains.get(path)
    const urls = main === undefined ? own : await linked.link(main)
    refuseRemoved(removed, path)
    const module = await linked.evaluate(urls, options)
    refuseRemoved(removed, path)
    return module
  }
  const registry: Boot & Registry = Object.freeze({
    ...boot,
    import: createImport(boot, load, tell),
    meta: createMeta(boot, (url) => linked.resolve(url)),
    link: createLink(boot, tell),
  })
  linked = linkRoot(boot, await provideNative(registry))
  refuseRemoved(removed, base)
  return { boot, load, pathOf: createListed(boot), fetch: createBounded(boot) }
}

async function checkManifest(base: string, required: Required): Promise<Boot> {
  const { threshold, manifest: fileName, remember, ...release } = required
  const keys = await Promise.all(required.keys.map(trustKey))
  const url = pathToUrl(fileName, base)
  const isNamed = /\.[0-9a-f]{16}\.\w+$/.test(fileName)
  const found = await fetchManifest(
    url,
    { ...release, keys, threshold },
    { redirect: 'error', cache: isNamed ? 'default' : 'no-cache' },
  )
  const boot: Boot = {
    pinned: { keys, threshold },
    verifier,
    ...found,
    url,
    credentials: undefined,
    toUrl: (path: string) => pathToUrl(path, base),
    fetch: nativeFetch,
  }
  if (isNamed) await proveNamed(boot)
  if (remember) rememberBuild(boot, remember)
  return boot
}

/** Of a host that is nobody's to trust, an answer must end. */
function createBounded(boot: Boot): CheckedFetch {
  const fetch = createCheckedFetch(boot, () => {})
  return async (request, path) => {
    const timeout = AbortSignal.timeout(deadline)
    const { referrer, referrerPolicy } = request
    const signal = either(request.signal, timeout)
    try {
      return await fetch(new Request(request, { referrer, referrerPolicy, signal }), path)
    } catch (error) {
      if (request.signal.aborted || !timeout.aborted) throw error
      throw refusal('TIMEOUT', 'no answer', path)
    }
  }
}

function createListed(boot: Boot): Root['pathOf'] {
  const pathOf = createPathOf(boot)
  return (href) => {
    const path = pathOf(href)
    if (path === undefined) throw refusal('UNLISTED', 'the manifest does not list it', href)
    return path
  }
}

/** @throws SignedImpError `ERR_SIGNEDIMP_UNLISTED` once the root was taken away */
export function refuseRemoved(removed: AbortSignal, path: string): void {
  if (removed.aborted) throw refusal('UNLISTED', 'its root was removed', path)
}

interface LinkedRoot extends Linked {
  /** Main chunks by the path of the entry's file, which is a bootstrap with keys of its own. */
  mains: ReadonlyMap<string, string>
}

/** Behind their code, modules get the name of their own root's registry: there it hides the page's and moves nothing. */
function linkRoot(boot: Boot, { registry, load, ...native }: Native): LinkedRoot {
  const mains = new Map<string, string>()
  const line = `import{registry as __signedimp}from"${registry}"`
  const edit = (text: string, path: string) => {
    if (!/\.m?js$/.test(path)) return text
    const main = mainOf(path, text)
    if (main !== undefined) mains.set(path, main)
    else refuseForeign(text, path)
    return text.includes('__signedimp') ? insertLast(text, line) : text
  }
  return { ...createLinked({ ...boot, ...native }, load, { edit }), mains }
}

/**
 * What the plugin wrote begins with a byte order mark, and the manifest has its imports. Of other signed files nothing
 * says what they import, and from a blob a whole URL would be imported unchecked: they may not seem to import anything.
 */
function refuseForeign(text: string, path: string): void {
  if (!text.startsWith('\ufeff') && /\bimport\b|\bfrom\s*(?:\/[/*][^"'`]*)?["']/.test(text))
    throw notEnforceable('it may import something, and was not built by signedimp', path)
}
