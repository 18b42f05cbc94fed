import { join } from 'node:path'
import type { BuildOptions, BuildResult, Plugin } from 'esbuild'
import type { SignedImpOptions } from '../../src/plugin/options.ts'
import type { KeySource } from '../../src/keys/private.ts'
import { writeFiles } from './fixture.ts'
import { scratchFolder } from './processes.ts'

/** The plugin as it is published: it reads the bootstrap that is built beside it. */
export async function loadEsbuildPlugin(): Promise<
  typeof import('../../src/esbuild.ts').signedImp
> {
  return (await import('../../dist/esbuild.js' as string)).signedImp
}

/** How {@link buildByEsbuild} builds. */
export interface EsbuildOptions {
  /** Signs; without it, nothing is signed. */
  key?: KeySource | undefined
  /** Options of the plugin. */
  signed?: SignedImpOptions
  /** The plugin itself, where it is not the one of this checkout. */
  signedImp?: typeof import('../../src/esbuild.ts').signedImp
  /** Other plugins, in front of ours and behind it. */
  before?: Plugin[]
  behind?: Plugin[]
  /** Options of esbuild. */
  config?: BuildOptions
  /** A folder in which there may be an earlier build. @default a new one */
  root?: string
}

/** What {@link buildByEsbuild} built: the output folder, and what esbuild says. */
export interface EsbuildFixture {
  dir: string
  result: BuildResult
}

/**
 * Builds an app that is given as texts by file name. Each `.html` file at the top is a page; its entry gets the page's
 * name and every file its own, as in {@link buildFixture}.
 */
export async function buildByEsbuild(
  files: Record<string, string>,
  options: EsbuildOptions = {},
): Promise<EsbuildFixture> {
  const root = options.root ?? scratchFolder()
  await writeFiles(root, { 'package.json': '{"name":"fixture","type":"module"}', ...files })
  const { build } = await import('esbuild')
  const result = await build(await esbuildOptionsOf(root, files, options))
  return { dir: join(root, 'dist'), result }
}

/** What {@link buildByEsbuild} gives to esbuild. */
export async function esbuildOptionsOf(
  root: string,
  files: Record<string, string>,
  { key, signed = {}, signedImp, before = [], behind = [], config = {} }: EsbuildOptions,
): Promise<BuildOptions> {
  const html = Object.keys(files).filter((file) => /^[^/]+\.html$/.test(file))
  const plugin = signedImp ?? (await loadEsbuildPlugin())
  const ours = key === undefined ? [] : [plugin(key, { html, ...signed })]
  return {
    absWorkingDir: root,
    entryPoints: html.map((page) => entryOf(page, files[page]!)),
    bundle: true,
    format: 'esm',
    splitting: true,
    outdir: 'dist',
    chunkNames: 'assets/[name]',
    assetNames: 'assets/[name]',
    publicPath: '/',
    logLevel: 'silent',
    ...config,
    plugins: [...before, ...ours, ...behind],
  }
}

const entryOf = (page: string, html: string) => ({
  in: /src="\/([^"]+)"/.exec(html)![1]!,
  out: `assets/${page.replace('.html', '')}`,
})

/** A plugin that does something when a build ends. */
export const atEnd = (work: (result: BuildResult) => unknown): Plugin => ({
  name: 'at the end',
  setup: (build) =>
    build.onEnd(async (result) => {
      await work(result)
    }),
})
