import type { Bytes } from '../crypto/bytes.js'
import type { TrustedKey, Verifier } from '../crypto/key.js'
import type { Remember } from '../manifest/options.js'
import type { VerifiedManifest } from '../manifest/verify.js'
import type { Claims } from './claims.js'
import type { Load } from './import.js'
import type { Prove } from './prove.js'
import type { Reported } from './report.js'

/** What the plugin writes into the built bootstrap. */
export interface Pinned {
  keys: readonly TrustedKey[]
  /** How many of the keys must have signed. */
  threshold: number
  /** Whether builds are remembered, and what if the browser gives no storage. */
  remember?: Remember
}

/** What the bootstrap has checked, and hands to a runtime. */
export interface Boot extends Reported {
  pinned: Pinned
  /** Who hashed and verified for the bootstrap, and does for what it starts. */
  verifier: Verifier
  manifest: VerifiedManifest
  /** The manifest as it was stored. */
  stored: Bytes
  /** The manifest's URL as the page names it. */
  url: string
  /** How the page's own tags would ask; the default where it is not said. */
  credentials: RequestCredentials | undefined
  /** URL of a listed path, as the map knows it. */
  toUrl(path: string): string
  /** The engine's own, as it was before anything of the app ran. */
  fetch: typeof fetch
}

/** An import map that the browser was seen to obey. */
export interface EnforcedMap {
  /** What the map adds to the URLs of modules: nobody can have loaded one under that key before the map came. */
  salt: string
  /** The engine's own resolution. */
  resolve(url: string): string
}

/** What the bootstrap hands to a runtime that goes by an import map. */
export type Mapped = PageBoot & EnforcedMap

/** What every emitted chunk finds as `__signedimp`. Its path is baked in: the URL that it came from is the server's word. */
export interface Registry {
  /** `import(specifier, options)` in the chunk at `from`. */
  import(from: string, specifier: unknown, options?: ImportCallOptions): Promise<unknown>
  /** `import.meta` of the chunk at `path`. */
  meta(path: string): ImportMeta
  /** `document.head.appendChild(link)` of a bundler's helper, which links what a chunk needs beside its modules. */
  link(link: HTMLLinkElement): HTMLLinkElement
}

/** What somebody must know who loads modules beside the browser. */
export interface Known {
  prove: Prove
  claims: Claims
  /** The URL by which a module is imported that the browser has. */
  keyOf(path: string): string
}

/** Makes what loads modules beside the browser. */
export type CreateLoad = (known: Known) => Load

/** What a runtime that goes by an import map adds to its context. */
export interface Adopting {
  /** Takes what loads modules that the browser refuses for good. */
  adopt(create: CreateLoad): void
}

/** What guards workers, and what it needs. */
export interface WithWorkers {
  /** Makes a URL of a script what a page takes that requires Trusted Types. */
  trusted: { createScriptURL(url: string): string }
  /** A runtime puts this here, what guards workers fills it in. */
  workers?: Workers
}

/** What a runtime asks of what guards workers, once that runs. */
export interface Workers {
  /**
   * Fetches the workers that the modules at and below a path name.
   * @returns what to await before these run, if anything
   */
  prepareFor?(path: string): Promise<unknown> | undefined
}

/** What makes the page run only what is signed. */
export type Enforcement = 'map' | 'blob' | 'tags'

/** What the HTML says of a page, as attributes of the bootstrap's tag. */
export interface PageData extends Reported {
  build?: string
  credentials?: RequestCredentials
  /** URL of the page manifest. */
  manifest?: string
  /** Paths of the runtimes, one for each way to enforce. */
  runtime?: string
  blob?: string
  tags?: string
  /** Paths of the main chunks, as URI components, spaces between. */
  entry?: string
  /** What static imports of modules add to URLs, as a fragment. */
  key?: string
  /** The page's own import map, as the build wrote it (`OwnMap`), if it has one. */
  map?: string
  /** What stands before listed paths in the import map, where that is the same in each view. */
  folder?: string
  /** Present where static imports name the host, too. */
  whole?: string
}

/** What a page's runtime adds to its context. */
export interface Runtime extends Registry {
  /** By which it does so. */
  enforcement: Enforcement
  /**
   * Starts a page's main chunks, in order. What hinders one is shown.
   * @throws SignedImpError `ERR_SIGNEDIMP_NOT_ENFORCEABLE` before anything of the app has run
   */
  start(): Promise<unknown>
}

/** What a runtime that links in memory is handed. */
export interface Linkable extends Boot {
  /**
   * Runs a module by a tag, with the rights of the page's own.
   * @param integrity what the browser is to check, in pages
   * @returns `load`, or `error` when it or something that it imports was not fetched, or not as it must be
   */
  byTag(url: string, integrity?: string): Promise<string>
}

/** What a page's bootstrap hands to its runtime: what the HTML says, too. */
export type PageBoot = Linkable & WithWorkers & Omit<PageData, keyof Linkable>

/** What a module bootstrap hands to its runtime. */
export interface ModuleBoot extends Linkable, WithWorkers, Partial<EnforcedMap> {
  /** Tells this app, release and place from others on the page. */
  id: string
  /** The element whose rights scripts of ours have. */
  carrier: Pick<HTMLScriptElement, 'nonce' | 'crossOrigin'>
  /** Settles when entries of the same app can be run by it. */
  ready?: Promise<ModuleRuntime>
}

/** What a module bootstrap's runtime adds: for all entries of one app on a page, so that each module is one instance. */
export interface ModuleRuntime extends ModuleBoot, Registry {
  /**
   * Runs an entry's main chunk.
   * @param loaded called when all that it imports statically is there, and only evaluation is left
   * @returns its namespace
   */
  main(path: string, loaded: () => void): Promise<unknown>
}
