import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import type { SignedImpOptions } from '../../src/plugin/options.ts'
import type { KeySource } from '../../src/keys/private.ts'
import { loadPlugin, serveApp, type Reply, type TestSite } from './app.ts'
import { atEnd, buildByEsbuild } from './esbuild.ts'
import { writeFiles } from './fixture.ts'
import type { Page } from './page.ts'
import { scratchFolder } from './processes.ts'

/** Bundlers whose own output entries are tried in. */
export const entryBundlers = ['rollup', 'rolldown', 'esbuild'] as const

/**
 * Two entries that no page of their build starts. They share `shared`; `main` is in a circle of two with what it
 * imports, awaits, exports in every shape, and opens `lazy`. What runs notes its name in `ran`.
 */
export const entryFiles: Record<string, string> = {
  'package.json': '{"name":"app","type":"module"}',
  'src/main.js': `import './early.js'
import { left, throughRight } from './left.js'
import { right } from './right.js'
import { shared } from './shared.js'
note('main')
addEventListener('DOMContentLoaded', () => note('DOMContentLoaded'))
export default 'default of ' + left + right
export const word = 'café'
export { shared as 'a text', throughRight }
export const url = import.meta.url
export const lazy = () => import('./deep/lazy.js')
export const open = (specifier, options) => import(specifier, options)
export const fail = () => { throw new Error('planned failure') }
globalThis.app = { url, lazy, open, fail, shared, throughRight }
`,
  'src/early.js': `globalThis.note = (name) => (globalThis.ran ??= []).push(name)
note('early')
export {}
`,
  'src/left.js': `import { right, throughLeft } from './right.js'
note('left')
export const left = 'left'
export const throughRight = () => throughLeft() + right
`,
  'src/right.js': `import { left } from './left.js'
await new Promise((settle) => setTimeout(settle, 5))
note('right')
export const right = 'right'
export const throughLeft = () => left
`,
  'src/shared.js': `(globalThis.ran ??= []).push('shared')
export const shared = { word: 'café', typed: typeof globalThis }
`,
  // What stands in one chunk runs before what is shared, so that esbuild is told that this is shared, too.
  'src/deep/lazy.js': `import '../early.js'
import { shared } from '../shared.js'
import { left } from '../left.js'
note('lazy')
export const text = 'lazy ' + shared.word + left
export const same = shared
export const url = import.meta.url
`,
  'src/other.js': `import { shared } from './shared.js'
(globalThis.ran ??= []).push('other')
globalThis.other = shared
`,
}

/** How {@link buildEntries} builds. */
export interface EntryAppOptions {
  bundler?: (typeof entryBundlers)[number]
  /** Options of the plugin; without a key, nothing is signed. */
  signed?: SignedImpOptions
  files?: Record<string, string>
  /** Files of the output that no bundler makes. */
  assets?: Record<string, string>
  /** Options of the output; by esbuild, of the build. */
  output?: object
}

/** Builds the entries; one file for each module, but by esbuild, which has no such setting. @returns the output folder */
export async function buildEntries(
  key: KeySource | undefined,
  { bundler = 'rollup', signed = {}, files = {}, assets = {}, output = {} }: EntryAppOptions = {},
): Promise<string> {
  const root = scratchFolder()
  await writeFiles(root, { ...entryFiles, ...files })
  const own = { name: 'app', ...signed }
  if (bundler === 'esbuild') await byEsbuild(root, key, own, assets, output)
  else await byRollup(bundler, root, key, own, assets, output)
  return join(root, 'dist')
}

const entries = ['src/main.js', 'src/other.js']

async function byRollup(
  bundler: 'rollup' | 'rolldown',
  root: string,
  key: KeySource | undefined,
  signed: SignedImpOptions,
  assets: Record<string, string>,
  output: object,
): Promise<void> {
  const signedImp = await loadPlugin()
  const { [bundler]: start } = (await import(bundler)) as Record<
    string,
    typeof import('rollup').rollup
  >
  const more = {
    name: 'assets',
    generateBundle(this: { emitFile(file: object): string }) {
      for (const [fileName, source] of Object.entries(assets))
        this.emitFile({ type: 'asset', fileName, source })
    },
  }
  const plugins = [...(key ? [signedImp(key, signed)] : []), more] as never[]
  const input = entries.map((file) => join(root, file))
  const bundle = await start!({ input, plugins, onLog() {} })
  const dir = join(root, 'dist')
  const preserveModulesRoot = join(root, 'src')
  await bundle.write({ dir, preserveModules: true, preserveModulesRoot, ...output })
  await bundle.close()
}

async function byEsbuild(
  root: string,
  key: KeySource | undefined,
  signed: SignedImpOptions,
  assets: Record<string, string>,
  output: object,
): Promise<void> {
  await buildByEsbuild(
    {},
    {
      root,
      key,
      signed,
      before: [atEnd(() => writeFiles(join(root, 'dist'), assets))],
      config: {
        entryPoints: entries,
        outbase: 'src',
        chunkNames: 'deep/[name]-[hash]',
        publicPath: '',
        ...output,
      },
    },
  )
}

/** Serves a build of the entries, with the same unsigned in the folder `plain`. */
export async function serveEntries(
  key: KeySource,
  options: EntryAppOptions = {},
): Promise<TestSite> {
  const dir = await buildEntries(key, options)
  await cp(await buildEntries(undefined, options), join(dir, 'plain'), { recursive: true })
  return serveApp(dir)
}

/** What stands before the entries in a page that is not of the build. */
export const heads = {
  plain: '',
  /** Beside another import map, ours is not tried. */
  map: '<script type="importmap">{"imports":{"none":"/none.js"}}</script>',
}

/** A page that is not of the build. @param scripts its body */
export const handWritten = (
  scripts: string,
  head = '',
  headers: Record<string, string> = {},
): Reply => ({
  type: 'text/html',
  headers,
  body: `<!doctype html><html><head><meta charset="utf-8">${head}<script>
    globalThis.refusals = []
    globalThis.errors = []
    addEventListener('signedimp:refusal', ({ detail }) => refusals.push(detail.code + ' ' + detail.path))
    addEventListener('error', ({ message }) => errors.push(message))
  </script></head><body>${scripts}</body></html>`,
})

/** The tag that a person would write for an entry. */
export const tagOf = (path: string): string => `<script type="module" src="/${path}"></script>`

/** Opens a page whose body is `scripts`, and waits until the entry ran or was refused. */
export async function visitEntry(
  page: Page,
  site: TestSite,
  scripts: string,
  { head = '', headers = {} }: { head?: string; headers?: Record<string, string> } = {},
): Promise<void> {
  site.reply('hand.html', handWritten(scripts, head, headers))
  await page.goto(new URL('hand.html', site.url).href)
  await page.waitFor(
    () =>
      'app' in globalThis ||
      'failure' in globalThis ||
      document.querySelector('[role=alert]') !== null,
  )
}
