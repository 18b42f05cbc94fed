/** The names of an import map, and what they mean in an output. */
import { isModulePath } from '../manifest/path.js'
import { isOpaque } from './foreign.js'
import { isOwnUrl } from './graph.js'
import type { PageContext } from './html.js'
import { add, whyNotExternal, type Refuse, type Table, type WrittenMap } from './own-map.js'

/** What import maps need to know of their page and its output. */
export type FoldSite = Pick<
  PageContext,
  | 'path'
  | 'base'
  | 'resolve'
  | 'locate'
  | 'refer'
  | 'urlOf'
  | 'integrityOf'
  | 'modules'
  | 'external'
  | 'isAccepted'
>

/** Gives names their meanings. */
export interface Names {
  /** What a table says, in exact names. @param scope the modules that it is for; all where it is empty */
  fold(table: Table, scope: string): Table
  /** A scope's address for the map. */
  toScope(prefix: string): string
  /** Lets an external module be imported by its URL. @param by who asks for it, where it has no hash */
  allow(imports: Table, url: string, by?: string): void
  /** Files that names mean. */
  targets: Set<string>
  /** URLs of modules that have no hash, and who asks for them. */
  unchecked: Map<string, string>
}

/** No URL can be made from this base, so that what begins with such a name means nothing. */
const nothing = 'data:,/'

/** What an address means. */
type Meaning = { path: string } | { url: string }

/** @param external modules whose hash is known */
export function createNames(
  written: WrittenMap,
  external: ReadonlyMap<string, string>,
  site: FoldSite,
  refuse: Refuse,
): Names {
  const targets = new Set<string>()
  const unchecked = new Map<string, string>()
  /** What a tag may spell `js/a.js` is a name to an import map. */
  const refer = (path: string) => site.refer(path).replace(/^(?![a-z]+:|[./])/i, './')

  /** What an address means, which must be a module of the build or an external one. */
  function read(name: string, address: string): Meaning {
    const means = `"${name}" means "${address}"`
    if (!isAddress(address))
      refuse(`${means}, which is no URL and does not begin with /, ./ or ../`)
    const path = site.resolve(address)
    if (path !== undefined)
      return isModulePath(path)
        ? { path }
        : refuse(`${means}, which must end in .js, .mjs or .json`)
    const url = site.locate(address)
    if (url === undefined || isOwnUrl(url, site.base))
      return refuse(`${means}, which is no file of this build`)
    const why = whyNotExternal(new URL(url))
    return why === undefined ? { url } : refuse(`${means}, which ${why}`)
  }

  /** The address for the map: modules that are checked get the page's salt behind it. */
  function write(meaning: Meaning, by: string): string {
    if ('path' in meaning) {
      targets.add(meaning.path)
      return `${refer(meaning.path)}#`
    }
    const { url } = meaning
    if (external.has(url)) return `${url}#`
    if (!unchecked.has(url)) unchecked.set(url, by)
    return url
  }

  /** A name as the map has it, or undefined for a module of the build by its own URL. */
  function toKey(name: string, scope: string): string | undefined {
    if (name === '' || name.endsWith('#')) return refuse(`"${name}" is no name`)
    if (/^\.{0,2}\//.test(name)) return undefined
    if (!URL.canParse(name))
      return /:\/|^https?:/i.test(name) ? refuse(`"${name}" is no URL`) : name
    const url = new URL(name)
    if (isOpaque(url) && !/^(data|blob):/.test(url.protocol)) return url.href
    if (isOwnUrl(url.href, site.base)) return undefined
    if (scope !== '') refuse(`its scope "${scope}" gives another meaning to the URL "${name}"`)
    const why = whyNotExternal(url)
    return why === undefined ? url.href : refuse(`"${name}" ${why}`)
  }

  /** Of a file of the build, a map can only say what is so. */
  function refuseMoved(name: string, address: string | null): void {
    const path = site.resolve(name)
    if (path === undefined) refuse(`"${name}" is no file of this build`)
    if (address === null || site.resolve(address) !== path)
      refuse(`it sends ${path}, which is a file of this build, elsewhere`)
    write(read(name, address!), name)
  }

  /** What stands below an address: its names there, and what these mean. */
  function below(name: string, address: string): [name: string, meaning: Meaning][] {
    const means = `"${name}" means "${address}"`
    if (!address.endsWith('/') || !isAddress(address)) refuse(`${means}, which is no folder`)
    const folder = site.locate(address)!
    const files = site.modules.map((path) => [site.urlOf(path), { path }] as const)
    const others = [...external.keys(), ...named].map((url) => [url, { url }] as const)
    const found = [...files, ...others].filter(([url]) => url.startsWith(folder))
    if (found.length === 0)
      refuse(`${means}, a folder of which nothing is known; name the modules one by one`)
    return found.map(([url, meaning]) => [name + url.slice(folder.length), meaning])
  }

  function fold(table: Table, scope: string): Table {
    const folded: Table = new Map()
    const folders = [...table.keys()].filter((name) => name.endsWith('/'))
    const isLonger = (name: string, than: string) =>
      table.has(name) || folders.some((one) => one.length > than.length && name.startsWith(one))
    for (const [name, address] of table) {
      const key = toKey(name, scope)
      if (key === undefined) {
        refuseMoved(name, address)
      } else if (!name.endsWith('/')) {
        const meaning = address === null ? null : write(read(name, address), `"${name}" means`)
        add(folded, key, meaning, refuse)
      } else if (address === null) {
        refuse(`"${name}" means nothing; say so of whole names`)
      } else {
        // Else a shorter name, or one for all modules, would give what is not known another meaning.
        add(folded, key, nothing, refuse)
        for (const [one, meaning] of below(key, address))
          if (!isLonger(one, key)) add(folded, one, write(meaning, `"${name}" means`), refuse)
      }
    }
    return folded
  }

  /** External modules that maps name one by one. */
  const named = new Set<string>()
  for (const table of [written.imports, ...written.scopes.values()])
    for (const address of table.values())
      if (address !== null && !address.endsWith('/') && isExternal(address, site))
        named.add(site.locate(address)!)

  return {
    targets,
    unchecked,
    fold,
    toScope(prefix) {
      const path = site.resolve(prefix)
      if (path !== undefined && isModulePath(path)) return `${refer(path)}#`
      const url = site.locate(prefix)
      if (url === undefined || !isAddress(prefix) || prefix.includes('#') || !/^https?:/.test(url))
        return refuse(`the scope "${prefix}" is no address`)
      return external.has(url) ? `${url}#` : prefix
    },
    allow(imports, url, by = '') {
      add(imports, url, write({ url }, by), refuse)
    },
  }
}

const isExternal = (address: string, { resolve, locate, base }: FoldSite): boolean => {
  const url = locate(address)
  return url !== undefined && isAddress(address) && !resolve(address) && !isOwnUrl(url, base)
}

/** Whether import maps take a text for an address (HTML, "parse a URL-like import specifier"). */
const isAddress = (text: string): boolean => /^\.{0,2}\//.test(text) || URL.canParse(text)
