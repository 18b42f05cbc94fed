import type { Boot } from '../context.js'
import { createPathOf } from '../import.js'

/**
 * What a reference to a script means to whoever starts it as a worker, in a worker or in a worklet. What is no URL is the
 * engine's to refuse; what is made of a blob or of data, signed code has made (`own`). What `unverified` names runs as the
 * browser runs it (`accepted`).
 */
export type Judged =
  | { kind: 'own' }
  | { kind: 'accepted'; href: string }
  | { kind: 'unlisted'; href: string }
  | { kind: 'listed'; href: string; path: string }

/**
 * Makes what finds that out.
 * @param base the URL that references start from, whenever it is asked for
 * @param unverified URLs of scripts that run as the browser runs them
 */
export function createJudge(
  context: Boot,
  base: () => string,
  unverified: ReadonlySet<string>,
): (reference: string) => Judged {
  const pathOf = createPathOf(context)
  return (reference) => {
    const url = toUrl(reference, base())
    if (!url || /^(blob|data):/.test(url.protocol)) return { kind: 'own' }
    const { href } = url
    const file = stripped(href)
    if (unverified.has(file)) return { kind: 'accepted', href }
    const path = pathOf(file)
    return path === undefined ? { kind: 'unlisted', href } : { kind: 'listed', href, path }
  }
}

/** A URL without its query and its fragment, which are nothing that a file's bytes depend on. */
export const stripped = (href: string): string => href.replace(/[?#].*$/s, '')

/** A URL, or undefined for a reference that is none. */
export function toUrl(reference: string, base: string): URL | undefined {
  try {
    return new URL(reference, base)
  } catch {
    return undefined
  }
}
