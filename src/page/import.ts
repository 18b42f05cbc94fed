import { SignedImpError } from '../errors.js'
import type { Boot, Registry } from './context.js'
import { announce } from './refuse.js'

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

/** What specifiers mean to the modules of a page, beside the listed files. */
export interface Meanings {
  /** The URL that a specifier means in the module at a path. @throws TypeError on a name that means nothing */
  mean(from: string, specifier: string): URL
  /** Loads an external module that the page allows; undefined for any other. */
  load(url: string, options?: ImportCallOptions): Promise<unknown> | undefined
}

/**
 * Makes the wrapper of `import()`.
 * @param tell told of each refusal, where the page is not to be told at once
 * @param meanings where names and external modules mean something
 */
export function createImport(
  context: Boot,
  load: Load,
  tell?: (refused: SignedImpError) => void,
  meanings?: Meanings,
): Registry['import'] {
  const { toUrl } = context
  const pathOf = createPathOf(context)

  /** A fragment makes another module of the same file; a query, another file. */
  const locate = (from: string, specifier: string): string | undefined => {
    try {
      const url =
        !__MODULE__ && meanings
          ? meanings.mean(from, specifier)
          : toAbsolute(specifier, toUrl(from))
      url.hash = ''
      return url.href
    } catch {
      return undefined
    }
  }

  const loadFrom = async (from: string, specifier: string, options?: ImportCallOptions) => {
    const url = locate(from, specifier)
    const path = url && pathOf(url)
    if (path) return load(path, options)
    const external = !__MODULE__ && url && meanings?.load(url, options)
    if (external) return external
    throw unlisted(from, specifier)
  }

  return (from, specifier, options) =>
    loadFrom(from, `${specifier}`, options).catch((error) => {
      if (error instanceof SignedImpError) (__MODULE__ && tell ? tell : announce)(error)
      throw error
    })
}

/**
 * Makes `import.meta` of a chunk.
 * @param resolve what a module's absolute URL becomes
 * @param mean the URL that a specifier means in the chunk at a path
 */
export function createMeta(
  { toUrl }: Boot,
  resolve: (url: string) => string,
  mean: Meanings['mean'] = (from, specifier) => toAbsolute(specifier, toUrl(from)),
): Registry['meta'] {
  const metas = new Map<string, ImportMeta>()
  const create = (path: string): ImportMeta => {
    const url = toUrl(path)
    const meta = {
      __proto__: null,
      url,
      resolve: (specifier: string) => resolve(mean(path, specifier).href),
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
export const toAbsolute = (specifier: string, base: string): URL =>
  /^\.{0,2}\//.test(specifier) ? new URL(specifier, base) : new URL(specifier)

const unlisted = (from: string, path: string): SignedImpError =>
  new SignedImpError(
    'ERR_SIGNEDIMP_UNLISTED',
    `${from} imports it, and the manifest does not list it`,
    { path },
  )
