import { SignedImpError } from '../errors.js'
import type { StaticImport } from '../manifest/format.js'
import { isModulePath, pathToUrl } from '../manifest/path.js'
import { isForeign, outside, toName } from './foreign.js'
import type { Output } from './output.js'
import type { ModuleImport } from './rewrite.js'

/** Where an output's files will be: `''` for wherever the pages are, else a path or a URL that ends in `/`. */
export type Base = string

/** Whether a base names the host of the files, which is then another origin than that of the pages. */
export const hasHost = (base: Base): boolean => /^(https?:)?\/\//.test(base)

/** How the files of an output refer to one another. */
export interface Graph {
  /** The URL of a file of the output. */
  urlOf(path: string): string
  /**
   * The URL that a reference in the file `from` means. Whatever host will serve the output is `output.invalid`.
   * @param start where relative references start, if that is not the file itself
   */
  locate(from: string, reference: string, start?: string): string | undefined
  /** The file that a reference means, or undefined for anything that is not of the output; as for {@link locate}. */
  resolve(from: string, reference: string, start?: string): string | undefined
  /** The same for a reference from the base. */
  resolveBelow(reference: string): string | undefined
  /** From now on, what means the file `from` means `to`, which the output then has in its place. */
  move(from: string, to: string): void
  /**
   * The static imports of a module, resolved. What only a page's import map gives a meaning is said to import the module
   * itself: a circle that nothing but an import map links.
   * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` on an import from outside the output, which a page would refuse,
   *   and on one that a redirect could turn into another file
   */
  link(from: string, imports: Omit<ModuleImport, 'declaration'>[]): StaticImport[]
}

/** Whether a URL is on a host that files of the output are on: one that is not listed can only be a mistake there. */
export const isOwnUrl = (url: string, base: Base): boolean =>
  url.startsWith(anyHost) || (hasHost(base) && url.startsWith(new URL(base, anyHost).href))

/** Stands for whatever host will serve the output. */
const anyHost = 'https://output.invalid/'

/** The URL of a file below an absolute base, with a host where that has one. */
export function urlBelow(base: Base, path: string): string {
  const href = pathToUrl(path, new URL(base, anyHost).href)
  return hasHost(base) ? href : href.slice(anyHost.length - 1)
}

/** Reads an output whose pages lie in its base, unless that is on another host. */
export function createGraph(output: Output, base: Base): Graph {
  const root = new URL(base || '/', anyHost).href
  const paths = new Map([...output.keys()].map((path) => [pathToUrl(path, root), path]))
  const locate = (from: string, reference: string, start = '') => {
    const place = output.get(from)?.isModule || root.startsWith(anyHost) ? root : anyHost
    try {
      return new URL(reference, new URL(start, pathToUrl(from, place))).href
    } catch {
      return undefined
    }
  }
  const resolve = (from: string, reference: string, start?: string) => {
    const url = locate(from, reference, start)
    return url === undefined ? undefined : paths.get(url)
  }
  let findOther: ReturnType<typeof createFindOther> | undefined
  return {
    urlOf: (path) => pathToUrl(path, root),
    locate,
    resolve,
    resolveBelow: (reference) => resolve('', reference, root),
    move(from, to) {
      for (const path of [from, to]) paths.set(pathToUrl(path, root), to)
    },
    link: (from, imports) =>
      imports.flatMap(({ start, end, specifier }) => {
        // Its text is part of the importing module, and checked with it.
        if (specifier.startsWith('data:')) return []
        const path = isBare(specifier) ? undefined : resolve(from, specifier)
        if (path === undefined && isForeign(specifier) && !toName(specifier).startsWith(root))
          return [{ start, end, path: from }]
        if (path === undefined || !output.get(path)!.isModule) throw outside(from, specifier)
        findOther ??= createFindOther([...output.keys()].filter(isModulePath))
        const other = specifier.startsWith('.') ? findOther(from, path) : undefined
        if (other !== undefined) throw ambiguous(from, specifier, path, other)
        return [{ start, end, path }]
      }),
  }
}

const isBare = (specifier: string): boolean => !/^(\.{0,2}\/|[a-z][a-z\d+.-]*:)/i.test(specifier)

/**
 * A redirect can make a module's relative imports start at another folder. So that they then mean nothing at all,
 * nothing else that a page may load as a module may end like the imported file.
 */
function createFindOther(paths: string[]): (from: string, path: string) => string | undefined {
  const named = new Map<string, string[]>()
  for (const path of paths)
    named.set(lastSegment(path), [...(named.get(lastSegment(path)) ?? []), path])
  return (from, path) => {
    const tail = '/' + path.slice(sharedFolder(from, path).length)
    return named
      .get(lastSegment(path))
      ?.find((name) => name !== path && ('/' + name).endsWith(tail))
  }
}

/** The nearest folder that both files are in, with its last slash: a relative import spells out at least the rest. */
function sharedFolder(from: string, path: string): string {
  let end = 0
  for (let next; (next = path.indexOf('/', end) + 1) > 0; end = next)
    if (!from.startsWith(path.slice(0, next))) break
  return path.slice(0, end)
}

/** Name of a file, without its folders. */
export const lastSegment = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

const ambiguous = (from: string, specifier: string, path: string, other: string): SignedImpError =>
  new SignedImpError(
    'ERR_SIGNEDIMP_OUTPUT',
    `imports ${specifier}, which a redirect could turn from ${path} into ${other}; give chunks different names, for example with [hash]`,
    { path: from },
  )
