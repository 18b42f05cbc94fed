/** The import map of a page as its bootstrap will write it, for policies that go by hashes. */
import { hashBytes } from '../crypto/node.js'
import {
  addControl,
  controlOf,
  createPageMap,
  fixedName,
  type Listed,
  type MapContent,
} from '../manifest/import-map.js'
import { below } from '../manifest/path.js'
import type { OwnMap } from '../manifest/meaning.js'
import { toIntegrity } from './bootstrap.js'

/** What a page says, and what its policy must allow, so that its map is the same in each view. */
export interface FixedMap {
  /** What stands before listed paths in the map. */
  folder: string
  /** Hash sources of the map and of the module that proves it, for a Content-Security-Policy. */
  hashes: [map: string, control: string]
  /** Host sources of all modules that the map has an address of. */
  hosts: string[]
}

/**
 * Tells the hash of a page's map.
 * @param folder the address of the output's folder, as the page spells it
 * @param key what static imports of modules add to addresses
 * @param own the page's own map, if it has one
 */
export function fixMap(listed: Listed, folder: string, key = '', own?: string): FixedMap {
  // What a tag may spell `js/a.js` is a name to an import map.
  const address = folder.replace(/^(?![a-z]+:|[./])/i, './')
  const content = createPageMap(listed, (path) => below(address, path), `#${fixedName}`, key, own)
  const control = controlOf(fixedName)
  addControl(content, control, hashOf(control))
  const hosts = hostsOf(content)
  return { folder: address, hashes: [toSource(JSON.stringify(content)), toSource(control)], hosts }
}

/** What means nothing has no address that a page asks for. */
function hostsOf({ imports, scopes = {} }: MapContent & Pick<OwnMap, 'scopes'>): string[] {
  const addresses = [imports, ...Object.values(scopes)].flatMap((names) => Object.values(names))
  return [...new Set(addresses.flatMap((address) => (address ? hostOf(address) : [])))]
}

function hostOf(address: string): string[] {
  const { protocol, origin, host } = new URL(address, 'page:/')
  if (protocol === 'page:') return [host || "'self'"]
  return /^https?:$/.test(protocol) ? [origin] : []
}

const hashOf = (text: string): string => toIntegrity('sha256', hashBytes('sha256', text))

const toSource = (text: string): string => `'${hashOf(text)}'`
