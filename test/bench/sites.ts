import { join } from 'node:path'
import { build, type Plugin } from 'vite'
import { buildApp } from '../../playground/build.ts'
import { serve, type Site } from '../../playground/server.ts'
import { generateKey } from '../../src/keys/generate.ts'
import type { SignedImpOptions } from '../../src/plugin/options.ts'
import { scratchFolder } from '../support/processes.ts'
import { checkApp, writeApp, type AppShape } from './apps.ts'

/** How a page carries the bootstrap, if it does. "again" is the plain page once more: how far its ratio is from 1 is noise. */
export const variants = ['plain', 'again', 'all', 'inline', 'linked'] as const

/** One of {@link variants}. */
export type Variant = (typeof variants)[number]

/** An app whose loading is measured. */
export interface App {
  name: string
  title: string
  /** Of the page's URL, which then tells what to open at once. */
  hash: string
  /** How long it takes to load, against the others. */
  weight: number
  /** What a variant's ratio should not exceed, if that is set for a latency. */
  target(variant: Variant, latency: number): number | undefined
  build(outDir: string, plugins: Plugin[]): Promise<void>
}

const shape: AppShape = { pages: 100, shared: 5 }

const manyChunks: App = {
  name: 'chunks',
  title: `generated app, ${shape.pages} lazy chunks of 20 KB and ${shape.shared} shared ones, all imported at once`,
  hash: '',
  weight: 2,
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
  target: (variant, latency) => (latency === 50 ? reactTargets[variant] : undefined),
  build: (outDir, plugins) => buildApp(outDir, { plugins: [...plugins, noteTime] }),
}

/** The apps, in the order of the tables. */
export const apps: App[] = [manyChunks, react]

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
  for (const variant of variants) {
    const outDir = join(scratchFolder(), 'dist')
    const options = inlineOf[variant]
    await app.build(outDir, options ? [signedImp(key, { ...options, name: 'bench' })] : [])
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
}
