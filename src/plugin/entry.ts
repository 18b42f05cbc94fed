/** What pages of a backend need to know of an entry. */
import { relative } from 'node:path'
import type { OutputFile } from '../emit/output.js'
import { emittedPath } from '../tree/system-path.js'
import type { Bundle, BundleFile } from './types.js'

/** The source of an entry, as Vite's list for backends names it, and the stylesheets that its page has to link. */
export function describeEntry(
  entry: BundleFile,
  bundle: Bundle,
  root: string,
): Pick<OutputFile, 'from' | 'styles'> {
  const source = entry.facadeModuleId?.replace(/^\0|\?.*$/g, '')
  return {
    ...(source && { from: emittedPath(relative(root, source)) }),
    styles: [...stylesOf(entry, bundle, new Set())].map((path) => emittedPath(path)),
  }
}

/** Stylesheets of what a chunk imports, then its own: the order in which Vite's pages link them. */
function stylesOf(chunk: BundleFile, bundle: Bundle, seen: Set<BundleFile>): Set<string> {
  if (seen.has(chunk)) return new Set()
  seen.add(chunk)
  const imported = (chunk.imports ?? []).flatMap((name) => bundle[name] ?? [])
  return new Set([
    ...imported.flatMap((other) => [...stylesOf(other, bundle, seen)]),
    ...(chunk.viteMetadata?.importedCss ?? []),
  ])
}
