/** The builds that a page has accepted, in the storage of its origin: a lower one is refused from then on. */
import { refusal } from '../manifest/refusal.js'
import type { Remember } from '../manifest/options.js'
import { splitManifest } from '../manifest/verify.js'
import type { Boot } from './context.js'
import { isRefusal, notEnforceable } from './refuse.js'

/**
 * Refuses a build that is lower than one that was here before, and notes it. Each build is an entry of its own: pages that
 * start at once cannot take a higher one back. An entry counts for whoever trusts its key, so that what a stolen key has signed
 * goes with the key.
 * @throws SignedImpError `ERR_SIGNEDIMP_ROLLBACK`; `ERR_SIGNEDIMP_NOT_ENFORCEABLE` without storage
 */
export function rememberBuild({ manifest, pinned, stored, toUrl }: Boot, remember: Remember): void {
  const { name, build } = manifest
  const noted = ({ fingerprint }: { fingerprint: string }) => {
    const start = `signedimp ${JSON.stringify([toUrl(''), name])} ${fingerprint} `
    const found = Object.keys(localStorage).filter((key) => key.startsWith(start))
    return { start, builds: found.map((key) => +key.slice(start.length)) }
  }
  try {
    const highest = Math.max(0, ...pinned.keys.flatMap((key) => noted(key).builds))
    if (!(build! >= highest))
      throw refusal('ROLLBACK', `build ${build} < ${highest}, seen before; reload`)
    for (const signature of splitManifest(stored).signatures) {
      // Of keys that are not trusted, nobody has checked the signature.
      if (!pinned.keys.some(({ fingerprint }) => fingerprint === signature.fingerprint)) continue
      const { start, builds } = noted(signature)
      localStorage.setItem(start + build, '')
      for (const lower of builds) if (lower < build!) localStorage.removeItem(start + lower)
    }
  } catch (error) {
    if (isRefusal(error)) throw error
    if (remember === true) throw notEnforceable('no storage (remember: true)')
  }
}
