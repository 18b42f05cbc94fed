import { SignedImpError } from '../errors.js'
import type { Mapped } from './context.js'
import { diagnose } from './diagnose.js'
import type { Load } from './import.js'
import type { Prove } from './prove.js'

/** How engines say that a module could not be fetched, as opposed to what a module throws (Chromium, Firefox, WebKit). */
export const loadFailure = /dynamically imported module|module script failed|integrity|MIME type/

/**
 * Loads modules under an import map. The browser checks them.
 * @param keyOf the URL by which a module is imported
 */
export function createMappedLoad(
  context: Mapped,
  prove: Prove,
  keyOf: (path: string) => string,
): Load {
  const explain = async (path: string, error: TypeError): Promise<Error> => {
    const found = await diagnose(context, prove(path))
    if (found || !loadFailure.test(error.message)) return found ?? error
    const reason = 'the browser refused it, and a second fetch saw the signed bytes; try again'
    return new SignedImpError('ERR_SIGNEDIMP_REFUSED', reason, { path, cause: error })
  }

  return async (path, options) => {
    const [, ...dependencies] = prove(path)
    for (const dependency of dependencies) preload(context.toUrl(dependency) + context.salt)
    try {
      return await (options ? import(keyOf(path), options) : import(keyOf(path)))
    } catch (error) {
      throw error instanceof TypeError ? await explain(path, error) : error
    }
  }
}

/**
 * Starts a download early, under the salted URL and so under the map. Vite's own helper may have been first.
 * @returns settles when it is there, or is not to be had
 */
export function preload(href: string): Promise<unknown> | undefined {
  if (document.querySelector(`link[href="${href}"]`)) return undefined
  const link = document.createElement('link')
  link.rel = 'modulepreload'
  link.crossOrigin = ''
  link.href = href
  document.head.append(link)
  return new Promise((settle) => {
    link.onload = link.onerror = settle
  })
}
