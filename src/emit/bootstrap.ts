import { hashBytes } from '../crypto/node.js'
import type { TrustedKey } from '../crypto/key.js'
import { utf8 } from '../crypto/bytes.js'

/** The page bootstrap with its keys in it. The same for every page and release of the same keys. */
export interface Bootstrap {
  code: string
  /** Its integrity metadata, which is also its hash source in a Content-Security-Policy. */
  integrity: string
  /** File name, for pages that link it. */
  fileName: string
}

const slot = '__SIGNEDIMP_TRUST__'

/** Puts keys into the built bootstrap. */
export function createBootstrap(
  template: string,
  keys: readonly TrustedKey[],
  threshold: number,
): Bootstrap {
  const parts = template.split(slot)
  if (parts.length !== 2) throw new Error('the built bootstrap has no place for keys')
  const code = parts.join(JSON.stringify({ keys, threshold }))
  const hash = hashBytes('sha256', utf8(code))
  return {
    code,
    integrity: toIntegrity('sha256', hash),
    fileName: `signedimp-${hash.slice(0, 16)}.js`,
  }
}

/** Integrity metadata (SRI §3.1) of a hash in hex. */
export const toIntegrity = (type: string, digest: string): string =>
  `${type}-${Buffer.from(digest, 'hex').toString('base64')}`
