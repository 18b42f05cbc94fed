import { createHash } from 'node:crypto'
import * as assert from 'uvu/assert'
import type { SignedImpOptions } from '../../src/plugin/options.ts'
import type { KeySource } from '../../src/keys/private.ts'
import { appFiles, loadPlugin, serveApp, type TestSite } from './app.ts'
import { buildByEsbuild } from './esbuild.ts'
import { buildFixture, writeFiles } from './fixture.ts'
import type { Page } from './page.ts'
import { scratchFolder } from './processes.ts'
import { glance, look } from './visit.ts'

/** Modules on another host. What runs notes its name in `ran`. */
export const farFiles: Record<string, string> = {
  'far.js': noted('far', `import './near.js'\nimport { inner } from 'inner'\n`, `'far ' + inner`),
  'near.js': noted('near', '', `'near'`),
  'inner.js': noted('inner', '', `'inner'`),
  'lazy.js': noted('lazy', '', `'lazy'`),
  'pack/part.js': noted('part', '', `'part'`),
  'needy.js': noted('needy', `import './unlisted.js'\n`, `'needy'`),
  'unlisted.js': noted('unlisted', '', `'unlisted'`),
  'free.js': noted('free', '', `'free'`),
}

function noted(name: string, imports: string, value: string): string {
  return `${imports}(globalThis.ran ??= []).push('${name}')\nexport const ${name} = ${value}\nexport const text = ${name}\n`
}

/** Integrity metadata of a text. */
export const integrityOf = (text: string, kind = 'sha384'): string =>
  `${kind}-${createHash(kind).update(text).digest('base64')}`

/** What stands in the public folder, beside the build. */
const publicFiles: Record<string, string> = {
  'vendor/lib.mjs': noted('lib', `import { dep } from 'dep'\n`, `'lib ' + dep`),
  'vendor/old/lib.mjs': noted('old', `import { dep } from 'dep'\n`, `'old ' + dep`),
  'vendor/dep-1.mjs': noted('dep', '', `'1'`),
  'vendor/dep-2.mjs': noted('dep', '', `'2'`),
}

/** An import map as a page has it. */
export interface PageMap {
  imports?: Record<string, string | null>
  scopes?: Record<string, Record<string, string | null>>
  integrity?: Record<string, string>
}

/** The map of the app, when the other host is at `far`. */
export const mapOf = (far: string): PageMap => ({
  imports: {
    lib: './vendor/lib.mjs',
    'vendor/': '/vendor/',
    dep: './vendor/dep-2.mjs',
    far: `${far}far.js`,
    'pack/': `${far}pack/`,
  },
  scopes: {
    './vendor/old/': { dep: './vendor/dep-1.mjs' },
    [far]: { inner: `${far}inner.js` },
  },
  integrity: {
    [`${far}far.js`]: integrityOf(farFiles['far.js']!),
    [`${far}near.js`]: integrityOf(farFiles['near.js']!, 'sha256'),
    [`${far}inner.js`]: integrityOf(farFiles['inner.js']!, 'sha512'),
    [`${far}pack/part.js`]: integrityOf(farFiles['pack/part.js']!),
  },
})

/** What the option `external` has in the app. */
export const externalOf = (far: string): Record<string, string> => ({
  [`${far}lazy.js`]: integrityOf(farFiles['lazy.js']!),
  [`${far}needy.js`]: integrityOf(farFiles['needy.js']!),
})

const main = (far: string) => `import { lib } from 'lib'
import { far } from 'far'
import { near } from '${far}near.js'
ran.push('main')
globalThis.app = {
  values: [lib, far, near],
  lazy: () => import('${far}lazy.js'),
  any: (specifier) => import(/* @vite-ignore */ specifier),
  resolve: (specifier) => import.meta.resolve(specifier),
}
`

const tagOf = (map: PageMap) => `<script type="importmap">${JSON.stringify(map)}</script>`

/** The page of the other app, with import maps. */
const pageOf = (maps: PageMap[]): string =>
  appFiles['index.html']!.replace('<title>', `${maps.map(tagOf).join('')}<title>`)

/** Who can build the app. */
export type MapBundler = 'vite' | 'vite5' | 'esbuild'

/** How {@link buildMapApp} builds. */
export interface MapAppOptions {
  bundler?: MapBundler
  maps?: PageMap[]
  signed?: SignedImpOptions
}

/** Builds an app whose page has import maps of its own, and whose modules are partly on another host. */
export async function buildMapApp(
  key: KeySource,
  far: string,
  { bundler = 'vite', maps = [mapOf(far)], signed }: MapAppOptions = {},
): Promise<string> {
  const sources = { 'index.html': pageOf(maps), 'src/main.js': main(far) }
  const options = { external: externalOf(far), ...signed }
  const external = ['lib', 'far']
  if (bundler === 'esbuild') {
    const copied = Object.keys(publicFiles).map((path) => ({ in: path, out: path.slice(0, -4) }))
    const { dir } = await buildByEsbuild(
      { ...sources, ...publicFiles },
      {
        key,
        signed: options,
        config: {
          external,
          entryPoints: [{ in: 'src/main.js', out: 'assets/index' }, ...copied],
          loader: { '.mjs': 'copy' },
        },
      },
    )
    return dir
  }
  const signedImp = await loadPlugin()
  return buildFixture(
    { ...sources, ...prefixed('public/', publicFiles) },
    {
      vite: bundler,
      plugins: [signedImp(key, options)],
      config: { build: { target: 'es2022', rollupOptions: { external } } },
    },
  )
}

const prefixed = (prefix: string, files: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([path, text]) => [prefix + path, text]))

/** Serves the other host's modules, to all origins. */
export async function serveFar(): Promise<TestSite> {
  const folder = scratchFolder()
  await writeFiles(folder, farFiles)
  return serveApp(folder, { cors: true })
}

/** Visits the app's page, which must start. */
export async function startMapApp(page: Page, site: TestSite): Promise<void> {
  await page.goto(site.url)
  assert.is((await look(page)).alert, '')
}

/** What the app has under a name, or the page. */
export const ask = (page: Page, name: 'values' | 'refusals'): Promise<unknown> =>
  page.evaluate((wanted) => {
    const all = globalThis as never as Record<string, unknown> & { app?: Record<string, unknown> }
    return (all.app?.[wanted] ?? all[wanted] ?? null) as never
  }, name)

/** What has run, in order. */
export const namesOf = async (page: Page): Promise<string[]> => (await glance(page)).ran
