import type { TrustedKey } from '../crypto/key.js'
import { hashBytes } from '../crypto/node.js'
import { markUtf8 } from './rewrite.js'

/** What the package ships for pages, as built. */
export interface PageCode {
  /** The bootstrap, without keys. */
  bootstrap: string
  /** The runtime: what the bootstrap starts, and the chunks import with. */
  runtime: string
}

/** A file of ours in an output, named by its content. */
export interface OwnFile {
  fileName: string
  code: string
}

/** The bootstrap with its keys in it: the same for every page and release of the same keys. */
export interface Bootstrap {
  /** As it stands in a page. */
  code: string
  /** Integrity metadata of `code`, which is its hash source in a Content-Security-Policy. */
  integrity: string
  /** As pages link it. */
  linked: OwnFile
  runtime: OwnFile
}

const slot = '__SIGNEDIMP_PINNED__'

/** Puts keys into the built bootstrap. */
export function createBootstrap(
  page: PageCode,
  keys: readonly TrustedKey[],
  threshold: number,
): Bootstrap {
  const parts = page.bootstrap.trim().split(slot)
  if (parts.length !== 2) throw new Error('the built bootstrap has no place for keys')
  const pinned = toLiteral({ keys, threshold })
  const code = parts.join(pinned)
  return {
    code,
    integrity: toIntegrity('sha256', hashBytes('sha256', code)),
    linked: nameByContent('signedimp', code),
    // Other keys make another runtime, and so another text and name of the page manifest, whose signature differs.
    runtime: nameByContent(
      'signedimp-runtime',
      `${page.runtime.trim()}\n//${hashBytes('sha256', pinned).slice(0, 16)}`,
    ),
  }
}

function nameByContent(stem: string, text: string): OwnFile {
  const code = markUtf8(text)
  return { fileName: `${stem}-${hashBytes('sha256', code).slice(0, 16)}.js`, code }
}

/** JSON with bare member names, which no value contains. */
const toLiteral = (value: unknown): string => JSON.stringify(value).replace(/"(\w+)":/g, '$1:')

/** Integrity metadata (SRI §3.1) of a hash in hex. */
export const toIntegrity = (type: string, digest: string): string =>
  `${type}-${Buffer.from(digest, 'hex').toString('base64')}`
