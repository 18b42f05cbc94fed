import { dirname, resolve } from 'node:path'
import { aliasVersion, rewriterVersion } from '../../emit/rewrite.js'
import { isPage } from '../../emit/output.js'
import type { BuildOptions } from './types.js'
import type { ResolvedOptions } from '../options.js'

/** Where a build of esbuild takes place, and what its user asked for. */
export interface EsbuildPlace {
  /** The working directory, from which esbuild names files. */
  root: string
  /** The output folder. */
  dir: string
  /** Where the files will be, as of `publicPath`. */
  base: string
  /** What stands last in each chunk until it is signed. */
  mark: string
  entryNames: string
  /** What was asked for: files, names of packages, patterns. */
  entryPoints: string[]
  /** Whether the user wants files, and not only their contents. */
  isWrite: boolean
  /** Whether the user wants the metafile. */
  hasMetafile: boolean
  /** Whether esbuild prints a summary. */
  isTold: boolean
}

/** Why a build cannot be signed, if so, in esbuild's way to name options. */
export function problemsOf(options: BuildOptions): string[] {
  const { format, bundle, platform, outdir, outfile, plugins = [] } = options
  const all: [isWrong: boolean, text: string][] = [
    [
      plugins.filter(({ name }) => name === 'signedimp').length > 1,
      'signedimp is there twice: each would sign what the other made; remove one',
    ],
    [
      !bundle,
      'signedimp needs "bundle: true": of a module that is not bundled nobody knows what its imports mean in the end',
    ],
    [
      format !== 'esm',
      `signedimp needs "format: 'esm'", because browsers check ES modules only; it is ${format ? `'${format}'` : "not set, which means 'iife'"}`,
    ],
    [
      platform === 'node',
      'signedimp signs what pages load, and "platform" is \'node\': leave the plugin out of builds for servers',
    ],
    [
      outdir === undefined && outfile === undefined,
      'signedimp needs "outdir": the manifest and the bootstraps are files beside the output',
    ],
  ]
  return all.flatMap(([isWrong, text]) => (isWrong ? text : []))
}

/**
 * Has esbuild hand its files to the plugin in place of writing them, with a mark in each chunk. The mark is part of what
 * esbuild hashes, so that a chunk's name tells how it was rewritten; and as an import of nothing it keeps a browser from
 * running what esbuild's server hands out, which is never what plugins made of it.
 */
export function prepare(options: BuildOptions, own: ResolvedOptions): EsbuildPlace {
  restore(options)
  const { absWorkingDir = process.cwd(), outdir, outfile, publicPath = '' } = options
  const mark = markOf(hasPages(options, own) ? rewriterVersion : aliasVersion)
  const place = {
    root: absWorkingDir,
    dir: resolve(absWorkingDir, outdir ?? dirname(outfile!)),
    base: publicPath === '' || publicPath.endsWith('/') ? publicPath : `${publicPath}/`,
    mark,
    entryNames: options.entryNames ?? '[dir]/[name]',
    entryPoints: entriesOf(options),
    isWrite: options.write !== false,
    hasMetafile: options.metafile === true,
    isTold: /^(info|debug|verbose)$/.test(options.logLevel ?? ''),
  }
  const { footer, write, metafile } = options
  const text = footer?.['js']
  options.footer = { ...footer, js: text ? `${text}\n${mark}` : mark }
  options.write = false
  options.metafile = true
  given.set(options.footer, { footer, write, metafile })
  return place
}

/** What users have written, by the footer that stands in the place of theirs. */
const given = new WeakMap<object, Record<'footer' | 'write' | 'metafile', unknown>>()

/**
 * Makes options again what they were before {@link prepare}. They are the user's own object, who may build with it, or
 * with a copy of it, once more.
 */
export function restore(options: BuildOptions): void {
  Object.assign(options, options.footer && given.get(options.footer))
}

const markOf = (version: string): string =>
  `import"signedimp:not-signed.esbuild-serves-no-signed-files.serve-the-output-folder?${version}";`

/** What a build is asked for. */
function entriesOf({ entryPoints = [], stdin }: BuildOptions): string[] {
  const entries = Array.isArray(entryPoints) ? entryPoints : Object.values(entryPoints)
  const names = entries.map((entry) => (typeof entry === 'string' ? entry : entry.in))
  return stdin ? [...names, stdin.sourcefile ?? '<stdin>'] : names
}

/** Whether the build is to have pages, as far as options tell. */
const hasPages = (options: BuildOptions, { html }: ResolvedOptions): boolean =>
  html.length > 0 || entriesOf(options).some(isPage)
