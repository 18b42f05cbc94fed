import { readFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { isPage, textOf, type Output } from '../../emit/output.js'
import { findBaseElement } from '../../emit/base-element.js'
import { createRefer } from '../../emit/pages.js'
import { linkSources, type Sources } from '../../emit/sources.js'
import { findTags } from '../../emit/tags.js'
import { SignedImpError } from '../../errors.js'
import { emittedPath } from '../../tree/system-path.js'
import { refuseSecrets } from '../guard.js'
import { builtFrom, keyOf, pathOf } from './metafile.js'
import type { EsbuildPlace } from './place.js'
import type { Metafile } from './types.js'

/** HTML files that become pages, as absolute paths, by the paths that they get: from the folder that they have in common. */
export function pagesOf(files: readonly string[]): Map<string, string> {
  const [first, ...others] = files.map((file) => dirname(file))
  let common = first ?? ''
  for (const folder of others)
    while (emittedPath(relative(common, folder)).startsWith('..')) common = dirname(common)
  return new Map(files.map((file) => [emittedPath(relative(common, file)), file]))
}

/** HTML files that the build has esbuild copy, which are pages too. */
export const copiedPages = ({ root, entryPoints }: EsbuildPlace): string[] =>
  entryPoints.filter(isPage).map((file) => resolve(root, file))

/**
 * Adds the pages to an output, with names of what was built in place of the sources that they name.
 * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` where a page cannot be read, or the output has a file of its name
 */
export async function addPages(
  output: Output,
  pages: ReadonlyMap<string, string>,
  metafile: Metafile,
  place: EsbuildPlace,
  secrets: string[],
): Promise<void> {
  const built = builtFrom(metafile, place)
  for (const [path, file] of pages) {
    if (output.has(path)) throw taken(path)
    const html = await readPage(file, path)
    const start = findBaseElement(path, findTags(html))
    const source = linkSources(html, createSources({ file, path, start }, built, metafile, place))
    refuseSecrets(path, source, secrets)
    output.set(path, { path, source, isModule: false, isEntry: false })
  }
}

async function readPage(file: string, path: string): Promise<string> {
  return textOf({ path, source: await readBytes(file, path) })
}

async function readBytes(file: string, path: string): Promise<Uint8Array> {
  try {
    return await readFile(file)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const reason = `is a page of the option "html", and cannot be read (${code}); correct the option`
    throw new SignedImpError('ERR_SIGNEDIMP_OUTPUT', reason, { path, cause })
  }
}

const taken = (path: string): SignedImpError =>
  new SignedImpError(
    'ERR_SIGNEDIMP_OUTPUT',
    'is a page of the option "html", and a file of the output too; leave one of them out',
    { path },
  )

/** A page in the sources. */
interface SourcePage {
  file: string
  /** The path that it gets. */
  path: string
  /** Where its relative references start, if it says so. */
  start: string | undefined
}

function createSources(
  { file, path, start }: SourcePage,
  built: ReadonlyMap<string, string>,
  { outputs }: Metafile,
  place: EsbuildPlace,
): Sources {
  return {
    find: (reference) => {
      const source = locateSource(reference, file, start, place)
      return source === undefined ? undefined : built.get(source)
    },
    styleOf: (entry) => {
      const { cssBundle } = outputs[keyOf(entry, place)] ?? {}
      return cssBundle === undefined ? undefined : pathOf(cssBundle, place)
    },
    refer: createRefer(path, place.base, start),
  }
}

/** The file that a reference in a source page names: beside it, or below the working directory with a leading slash. */
function locateSource(
  reference: string,
  page: string,
  start = '',
  { root }: EsbuildPlace,
): string | undefined {
  if (/^([a-z][a-z\d+.-]*:|\/\/|$)/i.test(reference)) return undefined
  const whole = reference.startsWith('/') ? reference : start.replace(/[^/]*$/, '') + reference
  try {
    const name = decodeURIComponent(whole.replace(/[?#].*/s, ''))
    return name.startsWith('/') ? join(root, name) : resolve(dirname(page), name)
  } catch {
    return undefined
  }
}
