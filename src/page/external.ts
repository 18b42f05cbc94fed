import { SignedImpError, type SignedImpCode } from '../errors.js'
import type { OwnMap } from '../manifest/meaning.js'
import type { Boot, Mapped } from './context.js'
import { download, maxFileBytes } from './download.js'

/** Listed files that the page's own import map names, so that modules may import them and no manifest says so. */
export function namedPaths({ map, manifest, toUrl }: Boot & Pick<Mapped, 'map'>): string[] {
  if (!map) return []
  const { imports, scopes = {} } = JSON.parse(map) as OwnMap
  const addresses = [imports, ...Object.values(scopes)].flatMap((names) => Object.values(names))
  const urls = new Set(
    addresses.flatMap((address) =>
      address ? new URL(address.replace(/#$/, ''), document.baseURI).href : [],
    ),
  )
  return [...manifest.files.keys()].filter((path) => urls.has(toUrl(path)))
}

/**
 * Finds out which external module does not come as it is listed, by a second fetch of each, for diagnosis only.
 * @returns a refusal that names it, or undefined where a second fetch sees nothing wrong
 */
export async function diagnoseExternal({
  map,
}: Pick<Mapped, 'map'>): Promise<SignedImpError | undefined> {
  if (!map) return undefined
  const { integrity } = JSON.parse(map) as OwnMap
  const found = await Promise.all(
    Object.entries(integrity).map(([url, value]) => inspect(url.slice(0, -1), value)),
  )
  return found.find((refused) => refused)
}

/** How engines say that a module imports what the map has no meaning for (Chromium and Firefox, WebKit). */
const unresolved = /\bspecifier\b|does not resolve to a valid URL/

/** A refusal where an external module imports what is not listed, which an engine tells by a plain error. */
export const explainUnresolved = (path: string, { message }: Error): SignedImpError | undefined =>
  unresolved.test(message)
    ? new SignedImpError(
        'ERR_SIGNEDIMP_UNLISTED',
        `an external module imports something that is not listed (${message})`,
        { path },
      )
    : undefined

async function inspect(path: string, integrity: string): Promise<SignedImpError | undefined> {
  const ask = (init: RequestInit) => download(path, maxFileBytes, { cache: 'reload', ...init })
  const saw = (code: SignedImpCode, what: string) =>
    new SignedImpError(code, `a second fetch ${what}`, { path })
  try {
    const { ok } = (await ask({ integrity })).response
    if (ok) return undefined
  } catch {
    // Other bytes, or none.
  }
  try {
    const { ok, status } = (await ask({})).response
    if (ok) return saw('ERR_SIGNEDIMP_CHANGED', 'saw other bytes than the listed ones')
    return saw(
      status < 500 ? 'ERR_SIGNEDIMP_MISSING' : 'ERR_SIGNEDIMP_NETWORK',
      `saw status ${status}`,
    )
  } catch (cause) {
    const { code } = cause as SignedImpError
    const reason =
      'a second fetch got no answer that this page may read; its host must allow that (CORS)'
    return new SignedImpError(code, reason, { path, cause })
  }
}
