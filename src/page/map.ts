import { base64, utf8, type Bytes } from '../crypto/bytes.js'
import type { HashType } from '../crypto/algorithms.js'
import { webCrypto } from '../crypto/webcrypto.js'
import type { VerifiedManifest } from '../manifest/verify.js'
import { pathToUrl } from '../manifest/path.js'
import { refusal } from './refuse.js'

/** What the import map enforces, once it is proven. */
export interface EnforcedMap {
  /** What is added to the URL of a module: no one can have loaded a module under that key before the map came. */
  salt: string
  /** The engine's own resolution. */
  resolve(url: string): string
}

/** The element that brings the bootstrap, as far as it says how the page's own tags would ask. */
export type Carrier = Pick<HTMLScriptElement, 'nonce' | 'crossOrigin'>

const sri = (type: HashType, hash: Bytes): string => `${type}-${base64(hash)}`

const fromHex = (digest: string): Bytes =>
  Uint8Array.from(digest.match(/../g)!, (byte) => parseInt(byte, 16))

/** Integrity metadata of a listed file. */
export const integrityOf = ({ hash, files }: VerifiedManifest, path: string): string =>
  sri(hash, fromHex(files.get(path)!))

const isModule = (path: string): boolean => /\.m?js(on)?$/.test(path)

/**
 * Gives the browser the manifest as one import map (HTML, "Import maps"), then proves that the browser obeys it.
 * Listed modules map to salted URLs with integrity, other listed files to themselves, everything else to nothing.
 * @throws SignedImpError `ERR_SIGNEDIMP_NOT_ENFORCEABLE` on any doubt
 */
export async function enforceMap(
  manifest: VerifiedManifest,
  base: string,
  carrier: Carrier,
): Promise<EnforcedMap> {
  const salt = '#' + base64(crypto.getRandomValues(new Uint8Array(9))).replace(/\W/g, '_')
  const hook = 'signedimp' + salt
  // "data:,/" is no base that a URL can be made from, so resolution throws, as with null, but no engine warns of it.
  const imports: Record<string, string> = { 'http://': 'data:,/', 'https://': 'data:,/' }
  const integrity: Record<string, string> = {}
  for (const path of manifest.files.keys()) {
    const url = pathToUrl(path, base)
    imports[url] = isModule(path) ? url + salt : url
    integrity[imports[url]] = integrityOf(manifest, path)
  }
  // A control that must load and a twin with the control's hash that must not: a blocked map fails the twin's test, blocked probes the control's.
  const source = `self["${hook}"](s=>import.meta.resolve(s))//`
  const [control, twin] = [source, source + 1].map(
    (text) => 'data:text/javascript,' + encodeURIComponent(text),
  ) as [string, string]
  integrity[control] = integrity[twin] = sri(
    'sha256',
    (await webCrypto.digest('sha256', utf8(source))) as Bytes,
  )

  const map = createScript('importmap', carrier)
  map.textContent = JSON.stringify({ imports, integrity })
  document.head.append(map)

  let calls = 0
  let resolve: EnforcedMap['resolve'] | undefined
  Object.defineProperty(self, hook, {
    configurable: true,
    value: (given: typeof resolve) => ((resolve = given), calls++),
  })
  const [good, bad] = await Promise.all([control, twin].map((url) => runModule(url, carrier)))
  delete (self as unknown as Record<string, unknown>)[hook]
  if (!good || bad || calls !== 1 || !resolve) throw notEnforceable('it ignores an import map')
  // An earlier load can make an engine drop a rule of the map without a word; then an unlisted URL would resolve.
  for (const url of [
    'http://' + hook,
    'https://' + hook,
    base + '-' + hook,
    new URL(hook, location.href).href,
  ])
    if (resolves(resolve, url)) throw notEnforceable('it resolves unlisted URLs')
  return { salt, resolve }
}

/** The refusal to go on where the browser was not seen to enforce the map. */
export const notEnforceable = (found: string, cause?: unknown) =>
  refusal(
    'NOT_ENFORCEABLE',
    `this browser cannot be made to check modules here: ${found}. Load no module and no modulepreload (tag or Link header) before the bootstrap, and let the Content-Security-Policy allow it import maps (nonce or strict-dynamic)`,
    undefined,
    cause,
  )

function resolves(resolve: EnforcedMap['resolve'], url: string): boolean {
  try {
    return !!resolve(url)
  } catch {
    return false
  }
}

function createScript(type: string, { nonce, crossOrigin }: Carrier): HTMLScriptElement {
  const script = document.createElement('script')
  script.type = type
  script.nonce = nonce ?? ''
  script.crossOrigin = crossOrigin ?? 'anonymous'
  return script
}

/**
 * Runs a module by a tag, as the page's HTML would have: what it throws is reported to the window, and its
 * evaluation is over, but for what it awaits, when this settles.
 * @returns whether it and all that it imports were fetched
 */
export const runModule = (url: string, carrier: Carrier, integrity = ''): Promise<boolean> =>
  new Promise((settle) => {
    const script = createScript('module', carrier)
    script.async = false
    if (integrity) script.integrity = integrity
    script.onload = () => settle(true)
    script.onerror = () => settle(false)
    script.src = url
    document.head.append(script)
  })
