import { SignedImpError } from '../errors.js'
import type { Boot, Registry } from './context.js'
import { isRefusal } from './refuse.js'

/** Loads a listed module and all that it imports, checked. */
export type Load = (path: string, options?: ImportCallOptions) => Promise<unknown>

/** Finds what is listed by its URL. */
export function createPathOf({ manifest, toUrl }: Boot): (url: string) => string | undefined {
  const paths = new Map<string, string>()
  const index = () => {
    for (const path of manifest.files.keys()) paths.set(toUrl(path), path)
  }
  index()
  return (url) => {
    // Another entry of the app may have added to the list. In a page nobody may.
    if (__MODULE__ && paths.size < manifest.files.size) index()
    return paths.get(url)
  }
}

/** Makes the wrapper of `import()`. @param tell told of each refusal */
export function createImport(
  context: Boot,
  load: Load,
  tell: (refused: SignedImpError) => unknown,
): Registry['import'] {
  const { toUrl } = context
  const pathOf = createPathOf(context)

  /** A fragment makes another module of the same file; a query, another file. */
  const locate = (from: string, specifier: string): string | undefined => {
    try {
      const url = toAbsolute(specifier, toUrl(from))
      url.hash = ''
      return pathOf(url.href)
    } catch {
      return undefined
    }
  }

  const loadFrom = async (from: string, specifier: string, options?: ImportCallOptions) => {
    const path = locate(from, specifier)
    if (path === undefined) throw unlisted(from, specifier)
    return load(path, options)
  }

  return (from, specifier, options) =>
    loadFrom(from, `${specifier}`, options).catch((error) => {
      if (isRefusal(error)) tell(error)
      throw error
    })
}

/** Makes `import.meta` of a chunk. @param resolve what a module's absolute URL becomes */
export function createMeta({ toUrl }: Boot, resolve: (url: string) => string): Registry['meta'] {
  const metas = new Map<string, ImportMeta>()
  const create = (path: string): ImportMeta => {
    const url = toUrl(path)
    const meta = {
      __proto__: null,
      url,
      resolve: (specifier: string) => resolve(toAbsolute(specifier, url).href),
    }
    metas.set(path, meta as unknown as ImportMeta)
    return meta as unknown as ImportMeta
  }
  return (path) => metas.get(path) ?? create(path)
}

/**
 * What a specifier means in a module (HTML, "resolve a module specifier"), but for bare names, which mean nothing here.
 * @throws TypeError on a bare name
 */
const toAbsolute = (specifier: string, base: string): URL =>
  /^\.{0,2}\//.test(specifier) ? new URL(specifier, base) : new URL(specifier)

const unlisted = (from: string, path: string): SignedImpError =>
  new SignedImpError(
    'ERR_SIGNEDIMP_UNLISTED',
    `${from} imports it, and the manifest does not list it`,
    { path },
  )
