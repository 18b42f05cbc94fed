import { realpathSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { programVersion, rewriteVersion } from '../../emit/rewrite.js'
import { isPage } from '../../emit/output.js'
import { isCopy } from './altered.js'
import { prefixOf } from './metafile.js'
import type { BuildOptions } from './types.js'
import type { ResolvedOptions } from '../options.js'

/** Where a build of esbuild takes place, and what its user asked for. */
export interface EsbuildPlace {
  /** The working directory, from which esbuild names files: without symbolic links, as esbuild has it. */
  root: string
  /** The output folder. */
  dir: string
  /** What esbuild puts before the paths of its files, as of {@link prefixOf}. */
  prefix: string
  /** Where the files will be, as of `publicPath`. */
  base: string
  /** What stands last in each chunk until it is signed. */
  mark: string
  entryNames: string
  chunkNames: string
  assetNames: string
  /** What was asked for: files, names of packages, patterns. */
  entryPoints: string[]
  /** The module that an entry point given as text is to others, if any can import it. */
  stdin: string | undefined
  /** Whether this is a build for servers. */
  isProgram: boolean
  /** What the chunks are, as the bundler calls it. */
  format: string
  /** Whether the user wants files, and not only their contents. */
  isWrite: boolean
  /** Whether the user wants the metafile. */
  hasMetafile: boolean
  /** Whether esbuild prints a summary. */
  isTold: boolean
}

/** Why a build cannot be signed, if so, in esbuild's way to name options. */
export function problemsOf(options: BuildOptions, own: Pick<ResolvedOptions, 'server'>): string[] {
  const { bundle, platform, outdir, outfile, publicPath = '', plugins = [] } = options
  const extension = options.outExtension?.['.js'] ?? '.js'
  const forServers = isProgram(options, own)
  const all: [isWrong: boolean, text: string][] = [
    [
      plugins.filter(({ name }) => name === 'signedimp').length > 1,
      'signedimp is there twice: each would sign what the other made; remove one',
    ],
    [
      !bundle,
      'signedimp needs "bundle: true": of a module that is not bundled nobody knows what its imports mean in the end',
    ],
    ...formatProblems(options, forServers),
    [
      platform === 'node' && !forServers,
      'signedimp signs what pages load with "server: false", and "platform" is \'node\': leave the option out, or the plugin',
    ],
    [
      outdir === undefined && outfile === undefined,
      'signedimp needs "outdir": the manifest and the bootstraps are files beside the output',
    ],
    [
      forServers && publicPath !== '',
      `signedimp needs "publicPath" to be left out of a build for servers, whose chunks import one another by relative paths; it is '${publicPath}'`,
    ],
    [
      !/^(|(https?:\/)?\/[^?#]*)$/i.test(publicPath),
      `signedimp needs "publicPath" to be a path with a slash in front, such as '/app/', or a URL, for chunks import one another by it; it is '${publicPath}': without it, they import one another by relative paths`,
    ],
    [
      !(forServers ? /^(\..*)?\.[cm]?js$/ : /^(\..*)?\.m?js$/).test(extension),
      `signedimp needs names of modules that end in .js or .mjs${forServers ? ' or .cjs' : ''}; "outExtension" makes them end in '${extension}'`,
    ],
    [
      !Object.isExtensible(options),
      'signedimp sets options of the build, and these are frozen: give a copy of them, { ...options }',
    ],
    [
      isCopy(options, markStart),
      'these options are a copy of some that signedimp had already prepared, and lost what they were before: copy them before the first build or context',
    ],
  ]
  return all.flatMap(([isWrong, text]) => (isWrong ? text : []))
}

function formatProblems(
  options: BuildOptions,
  forServers: boolean,
): [isWrong: boolean, text: string][] {
  const { format } = options
  const given = format ? `'${format}'` : "not set, which means 'iife'"
  return forServers
    ? [
        [
          !/^(esm|cjs)$/.test(formatOf(options)),
          `signedimp needs "format: 'esm'" or "format: 'cjs'" in a build for servers, whose loaders check no others; it is ${given}`,
        ],
      ]
    : [
        [
          format !== 'esm',
          `signedimp needs "format: 'esm'", because browsers check ES modules only; it is ${given}`,
        ],
      ]
}

/** What esbuild makes where it bundles. */
const formatOf = ({ format, platform }: BuildOptions): string =>
  format ?? (platform === 'node' ? 'cjs' : 'iife')

/** Whether a build is one for servers: the option says so, or esbuild's. */
const isProgram = ({ platform }: BuildOptions, { server }: Pick<ResolvedOptions, 'server'>) =>
  server ?? platform === 'node'

/** Where a build takes place, as of its options. */
export function placeOf(options: BuildOptions, own: ResolvedOptions): EsbuildPlace {
  const { absWorkingDir = process.cwd(), outdir, outfile, publicPath = '' } = options
  const root = realpathSync(absWorkingDir)
  const dir = resolve(root, outdir ?? dirname(outfile!))
  const base = publicPath === '' || publicPath.endsWith('/') ? publicPath : `${publicPath}/`
  return {
    root,
    dir,
    prefix: prefixOf({ root, dir }),
    base,
    mark: isProgram(options, own)
      ? markOf(programVersion, formatOf(options) === 'cjs')
      : markOf(rewriteVersion({ hasPages: hasPages(options, own), tags: own.tags, base })),
    isProgram: isProgram(options, own),
    format: formatOf(options),
    entryNames: options.entryNames ?? '[dir]/[name]',
    chunkNames: options.chunkNames ?? '[name]-[hash]',
    assetNames: options.assetNames ?? '[name]-[hash]',
    entryPoints: entriesOf(options),
    stdin: fileOf(root, options.stdin),
    isWrite: options.write !== false,
    hasMetafile: options.metafile === true,
    isTold: /^(info|debug|verbose)$/.test(options.logLevel ?? ''),
  }
}

/**
 * The mark is part of what esbuild hashes, so that a chunk's name tells how it was rewritten; and as an import of
 * nothing it keeps a browser from running what esbuild's server hands out, which is never what plugins made of it.
 */
const markOf = (version: string, isScript = false): string =>
  isScript ? `require("${markStart}?${version}");` : `import"${markStart}?${version}";`

const markStart = 'signedimp:not-signed.esbuild-serves-no-signed-files.serve-the-output-folder'

/** A text has no place among files, and is no module to others, unless it is given one. */
const fileOf = (root: string, { sourcefile, resolveDir }: BuildOptions['stdin'] & {} = {}) =>
  sourcefile === undefined || resolveDir === undefined
    ? undefined
    : resolve(root, resolveDir, sourcefile)

/** What a build is asked for by name. */
function entriesOf({ entryPoints = [] }: BuildOptions): string[] {
  const entries = Array.isArray(entryPoints) ? entryPoints : Object.values(entryPoints)
  return entries.map((entry) => (typeof entry === 'string' ? entry : entry.in))
}

/** Whether the build is to have pages, as far as options tell. */
const hasPages = (options: BuildOptions, { html }: ResolvedOptions): boolean =>
  html.length > 0 || entriesOf(options).some(isPage)
