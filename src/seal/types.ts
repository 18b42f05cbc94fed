import type { KeySource } from '../keys/private.js'
import type { SignedImpOptions } from '../plugin/options.js'
import type { Progress } from '../tree/hash.js'

/** How a folder is sealed: as a build with the plugin would be signed, but for what only a bundler can know. */
export interface SealOptions extends Omit<SignedImpOptions, 'html' | 'mode' | 'policy' | 'server'> {
  /** The private key, as for the plugin. @default a one-time key, which signs this folder and is forgotten */
  key?: KeySource
  /**
   * Where the files will be: a path or URL that ends in `/`; `''` for wherever the pages are.
   * @default what stands before the files' paths in the pages
   */
  base?: string
  /** Whether to do all but write. @default false */
  dryRun?: boolean
  /** Called after each file that was hashed when the sealed folder is verified. */
  progress?: Progress | undefined
}

/** What a seal did, or would do. */
export interface SealReport {
  /** Whether the folder was sealed so already, and nothing was written. */
  unchanged: boolean
  /** Whether nothing was written because that was asked for. */
  dryRun: boolean
  /** File name of the manifest. */
  manifest: string
  name: string
  build?: number
  expires?: string
  /** Fingerprints of the keys that pages accept; the first one signed. */
  fingerprints: string[]
  threshold: number
  oneTimeKey: boolean
  /** Public key of the signature, in PEM. */
  publicKey: string
  /** Where the files will be: a path or a URL, or `''` for wherever the pages are. */
  base: string
  /** Whether the files are on the pages' own host: not where `base` names one. */
  sameOrigin: boolean
  /** Pages that start through a bootstrap. */
  pages: string[]
  /** How many modules they may load. */
  modules: number
  /** Files that have other bytes now. */
  changed: string[]
  /** Files that are new, but for the manifest and the record. */
  added: string[]
  /** Source of the bootstrap for a Content-Security-Policy, when it is inline. */
  bootstrap: { integrity: string; inline: boolean }
  /** External modules that pages may load, with their integrity metadata. */
  external: { url: string; integrity: string }[]
  /** Whether pages may do without https. */
  pure: boolean
  /** Not checked when it runs, and accepted by name. */
  unverified: { name: string; reason: string }[]
  /** Number of listed files that nothing checks when a page loads them, by kind. */
  unchecked: Record<string, number>
  /** What survives, but not as it was. */
  warnings: string[]
}
