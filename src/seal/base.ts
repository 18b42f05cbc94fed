import { hasHost, type Base } from '../emit/graph.js'
import { SignedImpError } from '../errors.js'
import { pathToUrl } from '../manifest/path.js'

/** Stands for whatever host serves the folder. */
const anyHost = 'https://output.invalid/'

/**
 * Finds where the files of a folder will be, by how its pages name them: what stands before the path of a file in a
 * reference. Where several files could be meant, that with the longest path is. References that start at the page say nothing.
 * @param references by the pages that they stand in
 * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` where pages name several places
 */
export function findBase(
  paths: Iterable<string>,
  references: Iterable<readonly [page: string, reference: string]>,
): Base {
  const names = new Set([...paths].map((path) => new URL(pathToUrl(path, anyHost)).pathname))
  const found = new Map<Base, string>()
  for (const [page, reference] of references) {
    const base = baseIn(reference, names)
    if (base !== undefined && !found.has(base)) found.set(base, page)
  }
  const [first, second] = [...found.keys()]
  if (second === undefined) return first ?? ''
  throw new SignedImpError(
    'ERR_SIGNEDIMP_OUTPUT',
    `names files below ${second}, and ${found.get(first!)} names some below ${first}; say with "base" (--base) which is the place of this folder`,
    { path: found.get(second)! },
  )
}

function baseIn(reference: string, names: ReadonlySet<string>): Base | undefined {
  if (!reference.startsWith('/') && !hasHost(reference)) return undefined
  if (!URL.canParse(reference, anyHost)) return undefined
  const { pathname } = new URL(reference, anyHost)
  const [host = ''] = /^(https?:)?\/\/[^/?#]*/.exec(reference) ?? []
  for (let at = 0; at >= 0; at = pathname.indexOf('/', at + 1))
    if (names.has(pathname.slice(at))) return host + pathname.slice(0, at + 1)
  return undefined
}
