import type { Linkable, Registry } from './context.js'
import { createBlob } from './link.js'
import type { NativeImport } from './native-import.js'
import { findCarrier, runModule } from './map.js'
import { notEnforceable } from './refuse.js'

/** How modules of one root are run. */
export interface Native extends Pick<Linkable, 'byTag'> {
  /** URL of a module that exports the root's registry, as `registry`. */
  registry: string
  load: NativeImport
}

/**
 * Proves that the page runs modules from blobs, by one that exports a root's registry: under its own name, so that
 * neither another root's modules nor the page's find it. The same blob brings the engine's `import()`. It stands in no
 * module of ours, for where the page is signed too, its build makes each a call of the page's own registry.
 * @throws SignedImpError `ERR_SIGNEDIMP_NOT_ENFORCEABLE`
 */
export async function provideNative(own: Registry): Promise<Native> {
  const hook = crypto.randomUUID()
  const given: NativeImport[] = []
  const value = (load: NativeImport): Registry => {
    given.push(load)
    return own
  }
  Object.defineProperty(self, hook, { configurable: true, value })
  const carrier = findCarrier()
  const registry = createBlob(
    `export const registry=self["${hook}"]((url,options)=>options?import(url,options):import(url))`,
    'registry.js',
  )
  // A tag has the rights of the page's own, and more than `import()` where a policy goes by nonces.
  const ran = await Promise.resolve(registry)
    .then((url) => runModule(url, carrier))
    .catch(() => 'error')
  Reflect.deleteProperty(self, hook)
  const [load, again] = given
  if (ran !== 'load' || !load || again)
    throw notEnforceable('no blobs; let script-src allow blob:, a nonce or strict-dynamic')
  return { registry, load, byTag: (url) => runModule(url, carrier) }
}
