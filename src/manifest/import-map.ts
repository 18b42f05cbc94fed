/** The import map that enforces a manifest in a page. Where its text is the same in each view, a build can tell its hash. */
import type { Manifest } from './format.js'
import { isModulePath } from './path.js'

/** What import maps say, in as far as ours do (HTML, "Import maps"). */
export type MapContent = Record<'imports' | 'integrity', Record<string, string>>

/** What a map lists. */
export type Listed = Pick<Manifest, 'hash' | 'files'>

/**
 * In the place of a random name, where a page's map is to be the same in each view: what calls back from the proof, and as a
 * fragment the salt. Whoever knows it can have told the browser to load a module under it before, if the page lets them.
 */
export const fixedName = 'signedimp'

/** Integrity metadata (SRI §3.1) of a listed file. @throws TypeError on what is not listed */
export const integrityOf = ({ hash, files }: Listed, path: string): string =>
  `${hash}-${btoa(files.get(path)!.replace(/../g, fromHex))}`

const fromHex = (byte: string): string => String.fromCharCode(+`0x${byte}`)

/** A module that hands the engine's own resolution to the function of a name. */
export const controlOf = (name: string): string => `self["${name}"](s=>import.meta.resolve(s))//`

/**
 * Adds a control that must load, and a twin under the control's hash that must not. Where the map is blocked the twin loads;
 * where such scripts are blocked the control does not.
 * @param proof integrity metadata of the control
 * @returns the address of the control; that of its twin has a 1 behind it
 */
export function addControl({ integrity }: MapContent, control: string, proof: string): string {
  const good = 'data:text/javascript,' + control
  integrity[good] = integrity[good + 1] = proof
  return good
}

/**
 * The map of a page: listed modules map to salted URLs with integrity, other listed files to themselves, everything else to
 * nothing.
 * @param toUrl the address of a listed path, as the map is to spell it
 * @param key what static imports of modules add to addresses
 * @param own the page's own map, an `OwnMap`, which then cannot say anything else of what is listed or denied
 */
export function createPageMap(
  listed: Listed,
  toUrl: (path: string) => string,
  salt: string,
  key = '',
  own?: string,
): MapContent {
  const content: MapContent = own
    ? JSON.parse(own.replace(/#"/g, salt + '"'))
    : { imports: {}, integrity: {} }
  const { imports, integrity } = content
  // No URL can be made from the base "data:,/", so resolution throws, as it does with null, but no engine warns of it.
  imports['http://'] = imports['https://'] = 'data:,/'
  for (const path of listed.files.keys()) {
    const url = toUrl(path)
    imports[url] = imports[url + key] = isModulePath(path) ? url + salt : url
    integrity[imports[url]] = integrityOf(listed, path)
  }
  return content
}
