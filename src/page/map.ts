import { utf8 } from '../crypto/bytes.js'
import type { StaticImport } from '../manifest/format.js'
import {
  addControl,
  controlOf,
  createPageMap,
  integrityOf,
  type MapContent,
} from '../manifest/import-map.js'
import { aliasOf } from '../manifest/linking.js'
import type { VerifiedManifest } from '../manifest/verify.js'
import type { Boot, EnforcedMap } from './context.js'
import { toIntegrity } from './integrity.js'
import { notEnforceable } from './refuse.js'
import { verifier } from './verifier.js'

/** The element that brings the bootstrap, as far as it says how the page's own tags would ask. */
export type Carrier = Pick<HTMLScriptElement, 'nonce' | 'crossOrigin'>

/**
 * Gives the browser the manifest as one import map (HTML, "Import maps"), then proves that the browser checks by it:
 * enough to run the runtime, which proves what else the app relies on. Listed modules map to salted URLs with
 * integrity, other listed files to themselves, everything else to nothing. The module form comes late to a page that is
 * not its own: it leaves what is not listed alone, and adds the names that modules import one another by.
 * @param hook the name by which the proof calls back, and by which nobody else may know the modules
 * @param key what static imports of modules add to URLs
 * @param given in the module form, the salt of an earlier map, whose modules are then the same ones; in the page form, the
 *   page's own map, an `OwnMap`
 * @throws SignedImpError `ERR_SIGNEDIMP_NOT_ENFORCEABLE` on any doubt
 */
export async function enforceMap(
  manifest: VerifiedManifest,
  toUrl: Boot['toUrl'],
  carrier: Carrier,
  hook: string,
  key?: string,
  given?: string,
): Promise<EnforcedMap> {
  const salt = (__MODULE__ && given) || '#' + hook
  const content = __MODULE__
    ? createEntryMap(manifest, toUrl, salt)
    : createPageMap(manifest, toUrl, salt, key, given)
  const control = controlOf(hook)
  const good = addControl(content, control, await toIntegrity(verifier, 'sha256', utf8(control)))
  // Its scopes could send an import of one of our modules elsewhere, and no engine would say so.
  if (document.querySelector('[type=importmap i]')) throw notEnforceable('another map')
  const map = appendScript('importmap', carrier)
  map.text = trusted.createScript(JSON.stringify(content))
  // It stays in force; a page's other maps are told from ours by that they are there.
  map.remove()

  const calls: EnforcedMap['resolve'][] = []
  Reflect.set(self, hook, (given: EnforcedMap['resolve']) => calls.push(given))
  const runs = await Promise.all([runModule(good, carrier), runModule(good + 1, carrier)])
  const [resolve, again] = calls
  if (`${runs}` !== 'load,error' || !resolve || again) throw notEnforceable('no maps')
  if (__MODULE__) {
    const isOther = (to: StaticImport) =>
      // A scope of a map whose element is gone may give a name another meaning in the modules beside this file.
      [resolve, import.meta.resolve].some((mean) => mean(aliasOf(to)) !== toUrl(to.path) + salt)
    // Another app's modules may have these names, and an engine drops what has been resolved before.
    if (linksOf(manifest).some(isOther)) throw notEnforceable('names in use')
  }
  return {
    salt,
    resolve,
  }
}

/** The map of an entry of its own: it has one meaning more for each module, by which they import one another. */
function createEntryMap(
  manifest: VerifiedManifest,
  toUrl: Boot['toUrl'],
  salt: string,
): MapContent {
  const content: MapContent = { imports: {}, integrity: {} }
  for (const path of manifest.files.keys()) {
    const url = toUrl(path) + salt
    content.imports[toUrl(path)] = url
    content.integrity[url] = integrityOf(manifest, path)
  }
  for (const to of linksOf(manifest)) content.imports[aliasOf(to)] = toUrl(to.path) + salt
  return content
}

const linksOf = ({ imports }: VerifiedManifest): StaticImport[] => [...imports.values()].flat()

/** Texts are what scripts take, unless the page requires Trusted Types: then our policy must be allowed. */
const asIs = (text: string): string => text
export let trusted = { createScript: asIs, createScriptURL: asIs }
try {
  trusted = trustedTypes.createPolicy('signedimp', trusted)
} catch {
  // An engine that has none, or a page that does not allow this policy, and may require none.
}

/** What stands for the element that brought a module, which no module is told. */
export const findCarrier = (): Carrier => ({
  nonce:
    document.querySelector<HTMLElement>('script[nonce],meta[property=csp-nonce][nonce]')?.nonce ??
    '',
  crossOrigin: null,
})

/** Appends a script to the page, with the rights of the carrier. */
export function appendScript(type: string, { nonce, crossOrigin }: Carrier): HTMLScriptElement {
  const script = document.createElement('script')
  script.type = type
  script.nonce = nonce
  script.crossOrigin = crossOrigin
  // A script without text or address stays idle until it gets one.
  document.head.append(script)
  return script
}

/**
 * Runs a module by a tag: what it throws is reported to the window, and its evaluation is over, but for what it
 * awaits, when this settles.
 * @param integrity what the browser is to check, where no map says so
 * @returns `load`, or `error` when it or something that it imports was not fetched
 */
export const runModule = (url: string, carrier: Carrier, integrity?: string): Promise<string> =>
  new Promise((settle) => {
    const script = appendScript('module', carrier)
    script.async = false
    if (!__MODULE__ && integrity) {
      // An empty one would take the place of the map's.
      script.integrity = integrity
      // Whoever checks by tags awaits each: in order, one that never comes would keep all later ones waiting.
      script.async = true
    }
    script.onload = script.onerror = (event) => settle((event as Event).type)
    script.src = trusted.createScriptURL(url)
  })
