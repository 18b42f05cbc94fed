import type { Bytes } from '../crypto/bytes.js'
import type { TrustedKey, Verifier } from '../crypto/key.js'
import type { VerifiedManifest } from '../manifest/verify.js'

/** What the plugin writes into the built bootstrap. */
export interface Pinned {
  keys: readonly TrustedKey[]
  /** How many of the keys must have signed. */
  threshold: number
}

/** What the bootstrap has checked, and hands to a runtime. */
export interface Boot {
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
}

/** An import map that the browser was seen to obey. */
export interface EnforcedMap {
  /** What the map adds to the URLs of modules: nobody can have loaded one under that key before the map came. */
  salt: string
  /** The engine's own resolution. */
  resolve(url: string): string
  /**
   * Runs a listed module as a tag in the HTML would have.
   * @returns `load`, or `error` when it or something that it imports was not fetched as listed
   */
  run(path: string): Promise<string>
}

/** What the bootstrap hands to a runtime that goes by an import map. */
export interface Mapped extends Boot, EnforcedMap {
  /** The page's own import map, as the build wrote it (`OwnMap`), if it has one. */
  map?: string | undefined
}

/** What every emitted chunk finds as `__signedimp`. Its path is baked in: the URL that it came from is the server's word. */
export interface Registry {
  /** `import(specifier, options)` in the chunk at `from`. */
  import(from: string, specifier: unknown, options?: ImportCallOptions): Promise<unknown>
  /** `import.meta` of the chunk at `path`. */
  meta(path: string): ImportMeta
  /** `document.head.appendChild(link)` of a bundler's helper, which links what a chunk needs beside its modules. */
  link(link: HTMLLinkElement): HTMLLinkElement
}

/** What a page's runtime adds to its context. */
export interface Runtime extends Registry {
  /** Starts a page's main chunks, in order. What hinders one is shown. @param entry their paths, as URI components, spaces between */
  start(entry: string): Promise<unknown>
}

/** What a module bootstrap hands to its runtime. */
export interface ModuleBoot extends Boot, Partial<EnforcedMap> {
  /** Tells this app, release and place from others on the page. */
  id: string
  /** The element whose rights scripts of ours have. */
  carrier: Pick<HTMLScriptElement, 'nonce' | 'crossOrigin'>
  /** Runs a blob by a tag, where the page's policy allows no `import()` of them. */
  byTag?: (url: string) => Promise<string>
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
