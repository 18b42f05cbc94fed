import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { mainOf } from '../../src/manifest/linking.ts'
import { messagesOf } from './examples.ts'
import { writeFiles } from './fixture.ts'
import { blocksOf, readDocument, sectionOf } from './markdown.ts'
import { copyApp, createApp, lazy } from './readme-app.ts'

/** A section of docs/module-entries.md that shows a configuration. */
export interface Recipe {
  section: string
  /** Where the entry's source is, below the project. */
  source: string
  /** The output, below the project. */
  output: string
  /** Where the backend serves the output. */
  base: string
  /** Vite's list for backends, below the output, where the backend reads it. */
  list?: string
  /** Its key in that list, where that is not the source's path; the file's path, where there is no list. */
  name?: string
  vite?: 'vite' | 'vite5'
  files?: Record<string, string>
}

/**
 * What is not installed here, as far as it changes the configuration. Laravel's plugin 3.2 and vite-plugin-ruby 5.2
 * were read for it; they themselves are not run.
 */
const standIns = {
  'node_modules/laravel-vite-plugin/package.json': '{"type":"module","exports":"./index.js"}',
  'node_modules/laravel-vite-plugin/index.js': `export default (input) => ({
  name: 'laravel',
  enforce: 'post',
  config: () => ({
    base: '/build/',
    publicDir: false,
    build: {
      manifest: 'manifest.json',
      outDir: 'public/build',
      rollupOptions: { input },
      assetsInlineLimit: 0,
    },
  }),
})
`,
  'node_modules/vite-plugin-ruby/package.json': '{"type":"module","exports":"./index.js"}',
  'node_modules/vite-plugin-ruby/index.js': `import { join } from 'node:path'
const root = join(import.meta.dirname, '../../app/frontend')
export default () => [{
  name: 'vite-plugin-ruby',
  config: () => ({
    root,
    base: '/vite/',
    build: {
      emptyOutDir: false,
      manifest: true,
      assetsDir: 'assets',
      outDir: '../../public/vite',
      rollupOptions: { input: { 'entrypoints/application.js': join(root, 'entrypoints/application.js') } },
    },
  }),
}]
`,
}

export const recipes: Recipe[] = [
  {
    section: 'Laravel',
    source: 'resources/js/app.js',
    output: 'public/build',
    base: '/build/',
    list: 'manifest.json',
    files: { 'resources/css/app.css': 'p { color: green }' },
  },
  {
    section: 'Rails',
    source: 'app/frontend/entrypoints/application.js',
    output: 'public/vite',
    base: '/vite/',
    list: '.vite/manifest.json',
    name: 'entrypoints/application.js',
  },
  {
    section: 'Django',
    source: 'frontend/main.js',
    output: 'dist',
    base: '/static/',
    list: '.vite/manifest.json',
  },
  {
    section: 'A tag by hand',
    source: 'src/main.js',
    output: 'dist',
    base: '/',
    name: 'assets/main.js',
  },
  ...(['vite', 'vite5'] as const).map((vite) => ({
    section: 'A library',
    source: 'src/widget.js',
    output: 'dist',
    base: '/',
    name: 'widget.js',
    vite,
  })),
]

export const titleOf = ({ section, vite }: Recipe): string =>
  vite ? `${section}, ${vite}` : section

const page = readDocument('docs/module-entries.md')

/** The blocks of a recipe's section. */
export const blocksOfRecipe = ({ section }: Recipe, language: string): string[] =>
  blocksOf(sectionOf(page, section), language)

/** An entry whose stylesheet another chunk brings, and which opens a chunk later. */
const sourcesOf = ({ source, isStyled }: Source): Record<string, string> => {
  const folder = source.slice(0, source.lastIndexOf('/'))
  return {
    [source]: `import { word } from './word.js'
globalThis.started = word
globalThis.openCart = () => import('./cart.js').then(({ cart }) => cart)
export const open = () => word
`,
    [`${folder}/word.js`]: `${isStyled ? "import './word.css'\n" : ''}export const word = 'the app itself'\n`,
    [`${folder}/word.css`]: 'em { color: green }',
    [`${folder}/cart.js`]: `import { word } from './word.js'
export const cart = 'open ' + word
`,
  }
}

const app = lazy(() => createApp())

/** What a recipe's build gave. */
export interface BuiltRecipe {
  root: string
  /** The output folder. */
  dir: string
  printed: string
  /** Path of the entry's file in the output. */
  entry: string
  integrity: string
  /** Path of its main chunk. */
  main: string
  /** What the backend writes into its pages. */
  tags: string
}

/** An entry of Vite's list, as backends read it. */
export interface ListedEntry {
  file: string
  css?: string[]
  imports?: string[]
  integrity?: string
}

/** An entry to build, and what its project has beside it. */
export interface Source {
  /** Where it is, below the project. */
  source: string
  /** Whether what it imports brings a stylesheet. */
  isStyled: boolean
  files?: Record<string, string>
  vite?: 'vite' | 'vite5'
}

/** Builds an entry with a configuration as a document has it. */
export async function buildSource(source: Source, config: string) {
  const root = copyApp(await app())
  await writeFiles(root, {
    ...standIns,
    ...sourcesOf(source),
    ...source.files,
    'vite.config.js': config,
  })
  return { root, printed: await messagesOf(root, source.vite) }
}

/** Builds a recipe with the configuration of the document as it stands there. */
export async function buildRecipe(recipe: Recipe): Promise<BuiltRecipe> {
  const [config] = blocksOfRecipe(recipe, 'js')
  const source = { ...recipe, isStyled: recipe.list !== undefined }
  const { root, printed } = await buildSource(source, config!)
  const dir = join(root, recipe.output)
  const listed = readList(recipe, dir)
  const [, entry, integrity] = /^ {2}entry (\S+) \((\S+)\)$/m.exec(printed)!
  const main = mainOf(entry!, readFileSync(join(dir, entry!), 'utf8'))!
  const tags = listed ? tagsOf(listed, recipe) : pinnedTag(recipe.base + entry!, integrity!)
  return { root, dir, printed, entry: entry!, integrity: integrity!, main, tags }
}

/** The entry in Vite's list for backends, where the recipe has one. */
export function readList({ list, name, source }: Recipe, dir: string): ListedEntry | undefined {
  if (!list) return undefined
  return JSON.parse(readFileSync(join(dir, list), 'utf8'))[name ?? source]
}

const pinnedTag = (src: string, integrity: string): string =>
  `<script type="module" src="${src}" integrity="${integrity}" crossorigin></script>`

/**
 * As Laravel's `@vite` does: it preloads the entry's own file, under its integrity, and what the entry lists as imports, too.
 */
function tagsOf({ file, css = [], imports = [], integrity }: ListedEntry, { base }: Recipe) {
  const styles = css.map((path) => `<link rel="stylesheet" href="${base}${path}">`)
  const own = `<link rel="modulepreload" href="${base}${file}" integrity="${integrity}">`
  const preloads = imports.map((path) => `<link rel="modulepreload" href="${base}${path}">`)
  return [own, ...preloads, ...styles, pinnedTag(base + file, `${integrity}`)].join('\n')
}

export const sha256 = (bytes: Uint8Array): string =>
  `sha256-${createHash('sha256').update(bytes).digest('base64')}`
