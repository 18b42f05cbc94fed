import type { TrustedKey } from '../crypto/key.js'

/** What the chunks of a program are: ES modules, or what `require` loads. */
export type ProgramFormat = 'module' | 'commonjs'

/** What the plugin writes into the bootstrap of a program: an entry for servers, which says itself what it is. */
export interface Program {
  /** The path of the file that it stands in. */
  path: string
  /** Path of the entry's own code. */
  main: string
  /** Whom it trusts, and how many of them must have signed. */
  keys: readonly TrustedKey[]
  threshold: number
  name: string
  /** The lowest build that it accepts: its own. */
  build?: number
  /** Path of the manifest of the whole output. */
  manifest: string
  /** What files that end in `.js` are: no `package.json` is asked, which nobody has signed. */
  format: ProgramFormat
  /** Names of packages outside of the output, which run unchecked. */
  unverified: readonly string[]
}
