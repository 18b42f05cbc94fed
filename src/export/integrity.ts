import type { HashType } from '../crypto/algorithms.js'
import { comparePaths } from '../manifest/path.js'
import type { VerifiedRelease } from './read.js'

/** The hash that pages use for integrity, whatever the manifest has: SRI recommends no shorter one. */
export const integrityHash: HashType = 'sha384'

/** The integrity metadata of each file by its path, as browsers read it in the attribute `integrity` (Subresource Integrity §3.1). */
export function toIntegrityList({ hashes }: VerifiedRelease): Record<string, string> {
  const files = [...hashes.get(integrityHash)!].sort(([a], [b]) => comparePaths(a, b))
  // A path may be called `__proto__`.
  return Object.fromEntries(
    files.map(([path, digest]) => [
      path,
      `${integrityHash}-${Buffer.from(digest, 'hex').toString('base64')}`,
    ]),
  )
}
