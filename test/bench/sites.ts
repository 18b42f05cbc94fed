import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build, type Plugin } from 'vite'
import { buildApp } from '../../playground/build.ts'
import { serve, type Site } from '../../playground/server.ts'
import { generateKey } from '../../src/keys/generate.ts'
import type { SignedImpOptions } from '../../src/plugin/options.ts'
import { scratchFolder } from '../support/processes.ts'
import { chainChunk, checkApp, checkChain, writeApp, writeChain, type AppShape } from './apps.ts'

/**
 * How a page carries the bootstrap, if it does, or how an entry without a page is checked. "again" is the plain page
 * once more: how far its ratio is from 1 is noise.
 */
export type Variant = 'plain' | 'again' | 'all' | 'inline' | 'linked' | 'late' | 'blob' | 'tags'

const ofPages: Variant[] = ['plain', 'again', 'all', 'inline', 'linked']
const ofEntries: Variant[] = ['plain', 'again', 'late', 'blob']

/** An app whose loading is measured. */
export interface App {
  name: string
  title: string
  /** Of the page's URL, which then tells what to open at once. */
  hash: string
  /** How long it takes to load, against the others. */
  weight: number
  variants: Variant[]
  /** Options of a variant, where they are not the usual ones. */
  options?: Partial<Record<Variant, SignedImpOptions>>
  /** What a variant's ratio should not exceed, if that is set for a latency. */
  target(variant: Variant, latency: number): number | undefined
  build(outDir: string, plugins: Plugin[], variant: Variant): Promise<void>
}

const shape: AppShape = { pages: 100, shared: 5 }

const manyChunks: App = {
  name: 'chunks',
  title: `generated app, ${shape.pages} lazy chunks of 20 KB and ${shape.shared} shared ones, all imported at once`,
  hash: '',
  weight: 2,
  variants: ofPages,
  target: () => 1.05,
  async build(outDir, plugins) {
    const root = scratchFolder()
    await writeApp(root, shape)
    await build({ root, configFile: false, logLevel: 'error', plugins, build: { outDir } })
    await checkApp(outDir, shape)
  },
}

const reactTargets: Partial<Record<Variant, number>> = { all: 1.05, inline: 1.15, linked: 1.25 }

const react: App = {
  name: 'react',
  title: 'React app of the playground, until its first lazy route has run',
  hash: '#shop',
  weight: 1,
  variants: ofPages,
  target: (variant, latency) => (latency === 50 ? reactTargets[variant] : undefined),
  build: (outDir, plugins) => buildApp(outDir, { plugins: [...plugins, noteTime] }),
}

const entry: App = {
  ...manyChunks,
  name: 'entry',
  title: `the same ${shape.pages} chunks, started by a tag that is not of the build`,
  variants: ofEntries,
  target: () => undefined,
  async build(outDir, plugins, variant) {
    const root = scratchFolder()
    await writeApp(root, shape)
    const output = { entryFileNames: 'assets/[name].js' }
    const rollupOptions = { input: join(root, 'src/main.js'), output }
    const options = { outDir, rollupOptions }
    await build({ root, configFile: false, logLevel: 'error', plugins, build: options })
    await checkApp(outDir, shape)
    // Beside another import map, an entry links in memory.
    const map =
      variant === 'blob' ? '<script type="importmap">{"imports":{"none":"/none.js"}}</script>' : ''
    const tag = '<script type="module" src="/assets/main.js"></script>'
    await writeFile(join(outDir, 'index.html'), `<!doctype html><meta charset="utf-8">${map}${tag}`)
  },
}

/** Policies under which there is no import map. */
const policies: Partial<Record<Variant, string>> = {
  blob: `script-src 'self' blob:`,
  tags: `script-src 'self'`,
}

/** A page whose modules import one another in a row, checked in each of the ways that pages have. */
const chainOf = (depth: number): App => ({
  name: `chain-${depth}`,
  title: `${depth === 1 ? 'one module' : `${depth} modules that import one another in a row`}, 20 KB each`,
  hash: '',
  weight: 1,
  variants: ['plain', 'again', 'linked', 'blob', 'tags'],
  options: { blob: { inline: false }, tags: { inline: false, tags: true } },
  target: () => undefined,
  async build(outDir, plugins, variant) {
    const root = scratchFolder()
    await writeChain(root, depth)
    const groups = [{ name: chainChunk }]
    const codeSplitting = { groups, includeDependenciesRecursively: false }
    const rollupOptions = { output: { codeSplitting } }
    const options = { outDir, rollupOptions, modulePreload: false as const }
    const policy = policies[variant] ? [sendPolicy(policies[variant])] : []
    const all = [...plugins, ...policy]
    await build({ root, configFile: false, logLevel: 'error', plugins: all, build: options })
    await checkChain(outDir, depth)
  },
})

const sendPolicy = (content: string): Plugin => {
  const attrs = { 'http-equiv': 'Content-Security-Policy', content }
  return {
    name: 'policy',
    transformIndexHtml: () => [{ tag: 'meta', attrs, injectTo: 'head-prepend' }],
  }
}

/** Apps that are checked with and without an import map. */
export const chainApps: App[] = [1, 3, 10].map(chainOf)

/** The apps with pages, in the order of the tables. */
export const pageApps: App[] = [manyChunks, react]

/** The apps that no page of their build starts. */
export const entryApps: App[] = [entry]

/** The app tells its log which module runs; this adds when. */
const noteTime: Plugin = {
  name: 'note-time',
  transformIndexHtml: () => [{ tag: 'script', children: noteShop, injectTo: 'head-prepend' }],
}

const noteShop = `globalThis.__urls = new Proxy({}, {
  set(urls, name, url) {
    if (name === 'Shop') globalThis.__done = performance.now()
    return Reflect.set(urls, name, url)
  }
})`

/** A variant of an app, built and served. */
export interface ServedVariant {
  variant: Variant
  /** By milliseconds before each response. */
  sites: Map<number, Site>
}

/** Builds an app in every variant, and serves each at every latency. */
export async function serveVariants(app: App, latencies: number[]): Promise<ServedVariant[]> {
  const key = await generateKey('rsa-pss')
  const { signedImp } = await import('../../dist/index.js' as string)
  const served: ServedVariant[] = []
  for (const variant of app.variants) {
    const outDir = join(scratchFolder(), 'dist')
    const options = app.options?.[variant] ?? inlineOf[variant]
    await app.build(outDir, options ? [signedImp(key, { ...options, name: 'bench' })] : [], variant)
    const sites = new Map<number, Site>()
    for (const latency of latencies)
      sites.set(latency, await serve(outDir, { latency, cache: 'max-age' }))
    served.push({ variant, sites })
  }
  return served
}

/** Stops what {@link serveVariants} has started. */
export async function closeVariants(served: ServedVariant[]): Promise<void> {
  for (const { sites } of served) for (const site of sites.values()) await site.close()
}

const inlineOf: Record<Variant, SignedImpOptions | undefined> = {
  plain: undefined,
  again: undefined,
  all: { inline: 'all' },
  inline: { inline: true },
  linked: { inline: false },
  late: {},
  blob: {},
  tags: { tags: true },
}
