/** Where roots are: the URLs of folders, no two of which may share a file. */
import { describe } from '../manifest/options.js'

/**
 * The URL of a folder, with its last slash.
 * @throws TypeError on what is none, or is spelled in a way that servers may read in two
 */
export function toBase(base: unknown): string {
  const refuse = (why: string) => new TypeError(`"base" must be ${why}, got ${describe(`${base}`)}`)
  if (!(base instanceof URL) && (typeof base !== 'string' || base === ''))
    throw new TypeError(`"base" must be the URL of a folder, got ${describe(base)}`)
  const url = toUrl(base)
  if (!url || !/^https?:$/.test(url.protocol)) throw refuse('an http: or https: URL')
  if (url.username || url.password) throw refuse('a URL without a user name')
  if (/[?#]/.test(url.href)) throw refuse('a URL without a query or a fragment')
  if (spell(url) === undefined || /%(?:25|2f|5c|00)/i.test(url.pathname))
    throw refuse('a URL whose path can be read in one way only')
  return url.href.replace(/\/?$/, '/')
}

/** A URL as the page reads it, without its fragment. */
export function toUrl(reference: string | URL): URL | undefined {
  try {
    return new URL(reference, globalThis.document?.baseURI)
  } catch {
    return undefined
  }
}

/** Whether a server may answer a URL below one folder with a file of the other. */
export function overlap(one: string, other: string): boolean {
  const [a, b] = [one, other].map((base) => spell(new URL(base))!)
  return a!.startsWith(b!) || b!.startsWith(a!)
}

/** One spelling for all URLs that servers may take for one: escapes, letter case, doubled slashes, the root of host names. */
function spell({ protocol, hostname, port, pathname }: URL): string | undefined {
  try {
    const path = decodeURIComponent(pathname).normalize().toLowerCase().replace(/\/+/g, '/')
    return `${protocol}//${hostname.replace(/\.$/, '')}:${port}${path.replace(/\/?$/, '/')}`
  } catch {
    return undefined
  }
}
