/** What an output is signed with and for, and what becomes of it. */
import type { HashType } from '../crypto/algorithms.js'
import type { TrustedKey } from '../crypto/key.js'
import type { StaticImport } from '../manifest/format.js'
import type { Signer } from '../manifest/sign.js'
import type { Bootstrap, PageCode } from './bootstrap.js'
import type { Changes } from './changes.js'
import type { FixedMap } from './fixed-map.js'
import type { HeadersForm, Policy } from './forms.js'
import type { Base } from './graph.js'
import type { Uncovered } from './output.js'
import type { ProgramCode } from './program-bootstrap.js'
import type { ReportOnly } from './report-only.js'
import type { StartedEntry } from './start.js'

/** How a page carries the bootstrap: inline (default), linked (`false`), or inline with the signed manifest (`'all'`). */
export type Inline = boolean | 'all'

/** What an output is signed with and for. */
export interface Release {
  /** Undefined where only the public key is here, and the signature comes later. */
  signer: Signer | undefined
  /** Keys that pages accept: the signer's and the other trusted ones. */
  keys: readonly TrustedKey[]
  threshold: number
  name: string
  build?: number | undefined
  expires?: string | undefined
  hash: HashType
  manifestName: string
  /** Path of the list of chunks that Vite writes for backends, if it does. */
  viteManifest?: string | undefined
  base: Base
  inline: Inline
  /** Whether pages are made later, by `signedimp html`: modules then import one another by relative names. */
  pagesLater: boolean
  /** Whether a backend writes pages that start entries. */
  backend: boolean
  /** Whether pages may load modules by tags, for which static imports are absolute. */
  tags: boolean
  policy: Policy
  /** Forms in which files say how to serve the output. */
  headers: readonly HeadersForm[]
  /** What pages show where their bootstrap does not run, if anything. */
  fallback?: string | undefined
  /** Where pages report what they refuse, if anywhere. */
  reportTo?: string | undefined
  unverified: readonly string[]
  /** Whether pages fetch workers before the code runs that names them. */
  workersFirst: boolean
  /** How to accept names where those of `unverified` come from. @default as the option */
  spell?: ((names: string[]) => string) | undefined
  /** Files beside WebAssembly that `fetch` is to check: all, or those that a pattern names. */
  resources: boolean | readonly string[]
  /** Integrity metadata of external modules by URL. */
  external: ReadonlyMap<string, string>
  /** What the package ships for pages. */
  page: PageCode
  /** What the package ships for servers, where the output is a program and no pages load it. */
  program?: ProgramCode | undefined
  /** The built report-only bootstrap, where pages get that and refuse nothing. */
  reportOnly?: string | undefined
}

/** What became of an output. */
export interface Emitted {
  changed: Changes['changed']
  /** Hashes of all files, the page manifests' too. */
  digests: Map<string, string>
  /** Static imports, for the manifest of the whole output. */
  imports: Map<string, StaticImport[]>
  /** What pages carry; undefined where the output is a program. */
  bootstrap: Pick<Bootstrap, 'integrity'> | undefined
  /** The page manifests: the pages' and one for each entry of its own. */
  manifests: string[]
  /** Files of ours: page manifests, runtimes, stand-ins, and the bootstrap where it is linked. */
  own: string[]
  /** How many pages start through the bootstrap. */
  pages: number
  /** Names of the entries that pages of a backend start. */
  templates: string[]
  /** Entries that start by themselves. */
  entries: StartedEntry[]
  /** What survives, but not as it was. */
  warnings: string[]
  /** Of a report-only output: what is known of the one that would refuse. */
  reportOnly?: ReportOnly
  /** What a policy must allow for the import map of a page, where that is the same in each view, by page. */
  maps: Map<string, FixedMap>
  /** External modules that pages may load, with their integrity metadata. */
  external: Map<string, string>
  /** What is not checked and was accepted. */
  accepted: Uncovered[]
  /** Entries, stylesheets and classic scripts that a page's tag checks, and stylesheets that chunks load checked. */
  checked: Set<string>
  /** Files that `fetch` checks. */
  fetched: Set<string>
}
