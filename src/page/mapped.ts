import type { Known, Mapped } from './context.js'
import { diagnose } from './diagnose.js'
import type { Load } from './import.js'
import { isLoadFailure, refusedOnce } from './load-failure.js'
import { importNatively } from './native-import.js'

/**
 * Loads modules under an import map. The browser checks them. What was refused is asked for again when it is imported
 * again, if a second fetch then sees nothing wrong.
 * @param relink loads what the browser refuses for good
 */
export function createMappedLoad(
  context: Mapped,
  { prove, claims, keyOf }: Known,
  relink: Load,
): Load {
  /** What was not loaded when it was asked for before. */
  const refused = new Set<string>()

  async function load(path: string, options?: ImportCallOptions): Promise<unknown> {
    const settle = claims.begin(prove(path))
    try {
      const module = await importNatively(keyOf(path), options)
      settle(true)
      return module
    } catch (error) {
      // What throws when it is evaluated is there, and so is what it imports.
      settle(!isLoadFailure(error))
      throw error
    }
  }

  /** @returns undefined for a failure that is over */
  async function explain(path: string, error: unknown): Promise<unknown> {
    if (!(error instanceof TypeError)) return error
    const closure = prove(path)
    const found = await diagnose(context, closure)
    if (!found && !isLoadFailure(error)) return error
    if (!found && [...closure].some((file) => refused.has(file))) return undefined
    for (const file of closure) if (!claims.isNative(file)) refused.add(file)
    return found ?? refusedOnce(path, 'try again', error)
  }

  async function retry(path: string, failure: unknown, options?: ImportCallOptions) {
    try {
      return await load(path, options)
    } catch (error) {
      // What a module throws is thrown again, the same one; a failure to load it is another one each time.
      if (error === failure || !isLoadFailure(error)) throw error
      return relink(path, options)
    }
  }

  return async (path, options) => {
    const closure = prove(path)
    if (claims.hasLinked(closure)) return relink(path, options)
    const [, ...dependencies] = closure
    for (const dependency of dependencies) preload(context.toUrl(dependency) + context.salt)
    try {
      return await load(path, options)
    } catch (error) {
      const reason = await explain(path, error)
      if (reason !== undefined) throw reason
      return retry(path, error, options)
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
