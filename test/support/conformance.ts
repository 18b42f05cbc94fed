import { basename, join } from 'node:path'
import type { KeySource } from '../../src/keys/private.ts'
import { filesIn, textIn } from '../bundlers/built.ts'
import { loadPlugin } from './app.ts'
import { buildByEsbuild } from './esbuild.ts'
import { buildFixture, writeFiles } from './fixture.ts'
import { scratchFolder } from './processes.ts'

/** Every bundler that is supported, with every major version of Vite. */
export const bundlers = [
  'rollup',
  'rolldown',
  'vite5',
  'vite6',
  'vite7',
  'vite',
  'esbuild',
] as const
export type Bundler = (typeof bundlers)[number]

/**
 * One app, for all bundlers: two pages that share modules, a stylesheet, chunks that are static, lazy and shared, a circle,
 * a module that awaits, imports that are computed or fail. What runs notes its name in `ran`.
 */
export const sources: Record<string, string> = {
  'package.json': '{"name":"conformance","type":"module"}',
  'index.html': pageFor('main'),
  'second.html': pageFor('second'),
  'src/page.css': 'body { --signed: "café"; color: rgb(1, 2, 3) }\n',
  'src/main.js': `import './note.js'
import { shared } from './shared.js'
import { left, throughRight } from './left.js'
import { awaited } from './awaits.js'
note('main')
const name = (code, fallback) => ({ code, path, message }) => code ? [code, path] : [fallback, message]
globalThis.app = {
  url: import.meta.url,
  values: [left, throughRight(), awaited, shared.word],
  isShared: async () => (await import('./a.js')).shared === shared,
  a: () => import('./a.js').then(({ text }) => text, name()),
  b: () => import('./b.js').then(({ text }) => text, name()),
  broken: () => import('./broken.js').then(() => 'ran', (error) => error.name + ': ' + error.message),
  computed: (specifier) => import(/* @vite-ignore */ specifier).then(({ text }) => text, ({ code }) => code),
  lazyUrl: async () => (await import('./b.js')).url,
}
`,
  'src/second.js': `import './note.js'
import { shared } from './shared.js'
note('second')
globalThis.app = {
  url: import.meta.url,
  values: [shared.word],
  b: () => import('./b.js').then(({ text }) => text, ({ code, path }) => [code, path]),
}
`,
  'src/note.js': `globalThis.note = (name) => (globalThis.ran ??= []).push(name)
note('note')
addEventListener('DOMContentLoaded', () => heard('DOMContentLoaded'))
addEventListener('load', () => heard('load'))
function heard(type) {
  (globalThis.milestones ??= []).push(type)
}
export {}
`,
  'src/left.js': `import { right, throughLeft } from './right.js'
export const left = 'left'
export const throughRight = () => throughLeft() + right
note('left')
`,
  'src/right.js': `import { left } from './left.js'
export const right = 'right'
export const throughLeft = () => left
note('right')
`,
  'src/awaits.js': `note('awaits')
export const awaited = await new Promise((settle) => setTimeout(settle, 5, 'awaited'))
note('awaited')
`,
  'src/shared.js': `note('shared')
export const shared = { word: 'naïve café ☕' }
`,
  'src/pair.js': `note('pair')
export const pair = 'pair of ' + typeof globalThis
`,
  'src/a.js': `import { shared } from './shared.js'
import { pair } from './pair.js'
note('a')
export const text = 'a ' + shared.word + pair
export { shared }
`,
  'src/b.js': `import { pair } from './pair.js'
note('b')
export const text = 'b ' + pair
export const url = import.meta.url
`,
  'src/broken.js': `note('broken')
throw new RangeError('planned failure')
`,
}

function pageFor(entry: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>${entry}</title>
    <link rel="stylesheet" href="/src/page.css">
    <script type="module" src="/src/${entry}.js"></script>
    <script>
      globalThis.refusals = []
      addEventListener('signedimp:refusal', ({ detail }) => refusals.push(detail.code))
    </script>
  </head>
  <body></body>
</html>
`
}

const pages = ['index.html', 'second.html']
const entries = ['src/main.js', 'src/second.js']

/** Builds the app. @returns the output folder */
export function buildConformance(bundler: Bundler, key: KeySource): Promise<string> {
  if (bundler === 'esbuild') return byEsbuild(key)
  return bundler === 'rollup' || bundler === 'rolldown'
    ? byRollup(bundler, key)
    : byVite(bundler, key)
}

async function byVite(vite: Exclude<Bundler, 'rollup' | 'rolldown' | 'esbuild'>, key: KeySource) {
  const signedImp = await loadPlugin()
  return buildFixture(sources, {
    vite,
    plugins: [signedImp(key)],
    config: { build: { target: 'es2022' } },
  })
}

/** Rollup knows no pages and no stylesheets: a plugin of the project brings them. */
async function byRollup(bundler: 'rollup' | 'rolldown', key: KeySource): Promise<string> {
  const signedImp = await loadPlugin()
  const root = scratchFolder()
  await writeFiles(root, sources)
  const { [bundler]: start } = (await import(bundler)) as Record<
    string,
    typeof import('rollup').rollup
  >
  const html = {
    name: 'html',
    generateBundle(this: { emitFile(file: object): string }) {
      const emit = (fileName: string, source: string) =>
        this.emitFile({ type: 'asset', fileName, source })
      for (const page of pages) emit(page, sources[page]!.replaceAll('/src/', '/assets/'))
      emit('assets/page.css', sources['src/page.css']!)
    },
  }
  const plugins = [signedImp(key, { name: 'conformance' }), html] as never[]
  const bundle = await start!({
    input: entries.map((file) => join(root, file)),
    plugins,
    onLog() {},
  })
  const names = 'assets/[name].js'
  await bundle.write({ dir: join(root, 'dist'), entryFileNames: names, chunkFileNames: names })
  await bundle.close()
  return join(root, 'dist')
}

async function byEsbuild(key: KeySource): Promise<string> {
  const { dir } = await buildByEsbuild(sources, {
    key,
    config: {
      entryPoints: [...entries, 'src/page.css'],
      entryNames: 'assets/[name]',
      chunkNames: 'assets/[name]-[hash]',
    },
  })
  return dir
}

/** What a module does first, by which the chunk that holds it is known. */
const noteOf = (module: string): RegExp => new RegExp(`note\\(['"]${module}['"]\\)`)

/** Path of the chunk that holds a module: each bundler places and names chunks its own way. */
export function chunkWith(folder: string, module: string): string {
  const paths = filesIn(folder).filter((path) => path.startsWith('assets/') && path.endsWith('.js'))
  const found = paths.filter((path) => noteOf(module).test(textIn(folder, path)))
  if (found.length !== 1) throw new Error(`${found.length} chunks hold ${module}`)
  return found[0]!
}

/** How an import by a chunk beside it names the chunk that holds a module. */
export const besides = (folder: string, module: string): string =>
  `./${basename(chunkWith(folder, module))}`
