import { SignedImpError } from '../errors.js'
import { pathToUrl } from './path.js'

/**
 * Refuses two paths that some host or browser takes for one: they have one URL, or differ only in letter case.
 * @throws {@link SignedImpError} `ERR_SIGNEDIMP_PATH` with both names
 */
export function refuseSharedNames(paths: Iterable<string>): void {
  const seen = new Map<string, string>()
  for (const path of paths) {
    // No path has an empty segment, so that a URL is nobody's folded name.
    for (const name of [pathToUrl(path, 'https://host/'), foldCase(path)]) {
      const other = seen.get(name) ?? path
      if (other !== path) throw shared(path, other)
      seen.set(name, path)
    }
  }
}

/** By way of upper case: ς and σ are one letter to a file system that folds, and to lower case alone they are two. */
const foldCase = (path: string): string => path.toUpperCase().toLowerCase().normalize()

const shared = (path: string, other: string): SignedImpError =>
  new SignedImpError(
    'ERR_SIGNEDIMP_PATH',
    `is the same file as "${other}" to a host that ignores case or to a browser; rename one of them`,
    { path },
  )
