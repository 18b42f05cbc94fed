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
export function rememberBuild(boot: Boot, remember: Remember): void {
  try {
    compareAndNote(boot)
  } catch (error) {
    if (isRefusal(error)) throw error
    if (remember === true) throw notEnforceable('no storage (remember: true)')
  }
}

function compareAndNote({ manifest, pinned, stored, toUrl }: Boot): void {
  const { name, build } = manifest
  const startOf = (key: string) => `signedimp ${JSON.stringify([toUrl(''), name])} ${key} `
  const notesOf = (start: string) =>
    Object.keys(localStorage).filter((note) => note.startsWith(start))
  const starts = pinned.keys.map(({ fingerprint }) => startOf(fingerprint))
  const seen = starts.flatMap((start) => notesOf(start).map((note) => +note.slice(start.length)))
  const highest = Math.max(0, ...seen)
  if (!(build! >= highest))
    throw refusal('ROLLBACK', `build ${build} < ${highest}, seen before; reload`)
  for (const { fingerprint } of splitManifest(stored).signatures) {
    const start = startOf(fingerprint)
    // Of keys that are not trusted, nobody has checked the signature.
    if (!starts.includes(start)) continue
    const lower = notesOf(start).filter((note) => +note.slice(start.length) < build!)
    localStorage.setItem(start + build, '')
    for (const note of lower) localStorage.removeItem(note)
  }
}
