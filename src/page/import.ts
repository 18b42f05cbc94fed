import { SignedImpError } from '../errors.js'
import type { Boot, Runtime } from './context.js'
import { diagnose } from './diagnose.js'
import type { Prove } from './prove.js'
import { announce } from './refuse.js'

/** How engines say that a module could not be fetched, as opposed to what a module throws (Chromium, Firefox, WebKit). */
const loadFailure = /dynamically imported module|module script failed|integrity|MIME type/

/** Makes the wrapper of `import()`. */
export function createImport(context: Boot, prove: Prove): Runtime['import'] {
  const { manifest, toUrl, salt } = context
  const paths = new Map([...manifest.files.keys()].map((path) => [toUrl(path), path]))

  /** A fragment makes another module of the same file; a query, another file. */
  const locate = (from: string, specifier: string): { url?: string; path?: string | undefined } => {
    try {
      const url = toAbsolute(specifier, toUrl(from))
      url.hash = ''
      return { url: url.href, path: paths.get(url.href) }
    } catch {
      return {}
    }
  }

  const load = async (
    from: string,
    specifier: string,
    options?: ImportCallOptions,
  ): Promise<unknown> => {
    const { url, path } = locate(from, specifier)
    if (path === undefined) throw unlisted(from, specifier)
    const [, ...dependencies] = prove(path)
    for (const dependency of dependencies) preload(toUrl(dependency) + salt)
    try {
      return await (options ? import(url!, options) : import(url!))
    } catch (error) {
      throw error instanceof TypeError ? await explain(path, error) : error
    }
  }

  const explain = async (path: string, error: TypeError): Promise<Error> => {
    const found = await diagnose(context, prove(path))
    if (found || !loadFailure.test(error.message)) return found ?? error
    const reason = 'the browser refused it, and a second fetch saw the signed bytes; try again'
    return new SignedImpError('ERR_SIGNEDIMP_REFUSED', reason, { path, cause: error })
  }

  return (from, specifier, options) =>
    load(from, `${specifier}`, options).catch((error) => {
      if (error instanceof SignedImpError) announce(error)
      throw error
    })
}

/**
 * What a specifier means in a module (HTML, "resolve a module specifier"), but for bare names, which mean nothing here.
 * @throws TypeError on a bare name
 */
export const toAbsolute = (specifier: string, base: string): URL =>
  /^\.{0,2}\//.test(specifier) ? new URL(specifier, base) : new URL(specifier)

const unlisted = (from: string, path: string): SignedImpError =>
  new SignedImpError(
    'ERR_SIGNEDIMP_UNLISTED',
    `${from} imports it, and the manifest does not list it`,
    { path },
  )

/** Starts a download early, under the salted URL and so under the map. Vite's own helper may have been first. */
function preload(href: string): void {
  if (document.querySelector(`link[href="${href}"]`)) return
  const link = document.createElement('link')
  link.rel = 'modulepreload'
  link.crossOrigin = ''
  link.href = href
  document.head.append(link)
}
