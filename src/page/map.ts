import { base64, utf8, type Bytes } from '../crypto/bytes.js'
import { webCrypto } from '../crypto/webcrypto.js'
import { isModulePath } from '../manifest/path.js'
import type { VerifiedManifest } from '../manifest/verify.js'
import type { Boot } from './context.js'
import { notEnforceable } from './refuse.js'

/** The element that brings the bootstrap, as far as it says how the page's own tags would ask. */
export type Carrier = Pick<HTMLScriptElement, 'nonce' | 'crossOrigin'>

/** What an import map has once it is proven. */
export type EnforcedMap = Pick<Boot, 'salt' | 'resolve' | 'run'>

/**
 * Gives the browser the manifest as one import map (HTML, "Import maps"), then proves that the browser checks by it:
 * enough to run the runtime, which proves what else the app relies on. Listed modules map to salted URLs with
 * integrity, other listed files to themselves, everything else to nothing.
 * @throws SignedImpError `ERR_SIGNEDIMP_NOT_ENFORCEABLE` on any doubt
 */
export async function enforceMap(
  { hash, files }: VerifiedManifest,
  toUrl: Boot['toUrl'],
  carrier: Carrier,
): Promise<EnforcedMap> {
  const hook = crypto.randomUUID()
  const salt = '#' + hook
  // No URL can be made from the base "data:,/", so resolution throws, as it does with null, but no engine warns of it.
  const imports: Record<string, string> = { 'http://': 'data:,/', 'https://': 'data:,/' }
  const integrity: Record<string, string> = {}
  for (const [path, digest] of files) {
    const url = toUrl(path)
    imports[url] = isModulePath(path) ? url + salt : url
    integrity[imports[url]] = `${hash}-${btoa(digest.replace(/../g, fromHex))}`
  }
  // A control that must load, and a twin under the control's hash that must not. Where the map is blocked the twin
  // loads; where such scripts are blocked the control does not.
  const control = `self["${hook}"](s=>import.meta.resolve(s))//`
  const good = 'data:text/javascript,' + control
  const bad = good + 1
  integrity[good] = integrity[bad] =
    'sha256-' + base64((await webCrypto.digest('sha256', utf8(control))) as Bytes)
  // Its scopes could send an import of one of our modules elsewhere, and no engine would say so.
  if (document.querySelector('[type=importmap i]')) throw notEnforceable('another map')
  appendScript('importmap', carrier).textContent = JSON.stringify({ imports, integrity })

  const calls: Boot['resolve'][] = []
  Reflect.set(self, hook, (given: Boot['resolve']) => calls.push(given))
  const runs = await Promise.all([runModule(good, carrier), runModule(bad, carrier)])
  const [resolve, again] = calls
  if (`${runs}` !== 'load,error' || !resolve || again) throw notEnforceable('no maps')
  return {
    salt,
    resolve,
    run: (path) => runModule(toUrl(path) + salt, carrier),
  }
}

const fromHex = (byte: string): string => String.fromCharCode(+`0x${byte}`)

function appendScript(type: string, { nonce, crossOrigin }: Carrier): HTMLScriptElement {
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
 * @returns `load`, or `error` when it or something that it imports was not fetched
 */
const runModule = (url: string, carrier: Carrier): Promise<string> =>
  new Promise((settle) => {
    const script = appendScript('module', carrier)
    script.async = false
    script.onload = script.onerror = (event) => settle((event as Event).type)
    script.src = url
  })
