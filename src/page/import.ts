import { pathToUrl } from '../manifest/path.js'
import { closure, diagnose, type Root } from './diagnose.js'
import { notEnforceable, type EnforcedMap } from './map.js'
import { announce, refusal } from './refuse.js'

/** What every emitted chunk finds as `__signedimp`. The chunk's path is baked in: the URL it came from is the server's word. */
export interface Registry {
  /** `import(specifier, options)` in the chunk at `from`. */
  import(from: string, specifier: unknown, options?: ImportCallOptions): Promise<unknown>
  /** `import.meta` of the chunk at `path`. */
  meta(path: string): ImportMeta
  /**
   * Makes sure that the browser resolves a module, and all that it imports, to what the map checks.
   * @throws SignedImpError `ERR_SIGNEDIMP_NOT_ENFORCEABLE`
   */
  prove(path: string): void
}

/** How engines say that a module could not be fetched, as opposed to what a module throws (Chromium, Firefox, WebKit). */
const loadFailure = /dynamically imported module|module script failed|integrity|MIME type/

/** Makes the wrapper of `import()` for a proven map. */
export function createRegistry(root: Root, { salt, resolve }: EnforcedMap): Registry {
  const { manifest, base } = root
  const paths = new Map([...manifest.files.keys()].map((path) => [pathToUrl(path, base), path]))
  const proven = new Set<string>()
  const metas = new Map<string, ImportMeta>()

  const toUrl = (from: string, specifier: unknown) => new URL(`${specifier}`, pathToUrl(from, base))

  const prove = (path: string) => {
    for (const file of closure(manifest, path)) {
      const url = pathToUrl(file, base)
      if (proven.has(file)) continue
      if (resolve(url) !== url + salt)
        throw notEnforceable('it loaded a listed module before the map')
      proven.add(file)
      if (file !== path) preload(url + salt)
    }
  }

  const load = async (from: string, specifier: unknown, options?: ImportCallOptions) => {
    let url
    try {
      url = toUrl(from, specifier)
      url.hash = ''
    } catch {}
    const path = paths.get(`${url}`)
    if (path === undefined)
      throw refusal('UNLISTED', `${from} imports what the manifest does not list`, `${specifier}`)
    prove(path)
    try {
      return await (options ? import(url!.href, options) : import(url!.href))
    } catch (error) {
      throw error instanceof TypeError ? await explain(path, error) : error
    }
  }

  const explain = async (path: string, error: TypeError) =>
    (await diagnose(root, path)) ??
    (loadFailure.test(error.message)
      ? refusal(
          'REFUSED',
          'the browser refused it, and a second fetch saw the signed bytes; try again',
          path,
          error,
        )
      : error)

  return Object.freeze({
    prove,
    import: (from, specifier, options) =>
      load(from, specifier, options).catch((error) => {
        if (error.code) announce(error)
        throw error
      }),
    meta: (path) => {
      let meta = metas.get(path)
      if (!meta) {
        const url = pathToUrl(path, base)
        meta = {
          __proto__: null,
          url,
          resolve: (specifier: string) => resolve(toUrl(path, specifier).href),
        } as unknown as ImportMeta
        metas.set(path, meta)
      }
      return meta
    },
  } satisfies Registry)
}

/** Starts a fetch early, under the salted URL and so under the map. Vite's own helper may have been first. */
function preload(href: string): void {
  if (document.querySelector(`link[href="${href}"]`)) return
  const link = document.createElement('link')
  link.rel = 'modulepreload'
  link.crossOrigin = ''
  link.href = href
  document.head.append(link)
}
