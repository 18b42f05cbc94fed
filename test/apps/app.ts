import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { InlineConfig, PluginOption } from 'vite'
import type { KeySource } from '../../src/keys/private.ts'
import { appFiles, loadPlugin, type TestSite } from '../support/app.ts'
import { writeFiles } from '../support/fixture.ts'
import type { EngineName } from '../support/browsers.ts'
import type { Page } from '../support/page.ts'
import { glance, look } from '../support/visit.ts'

/** A package that starts workers, in a small app: `src/run.js` has it do what its users want of it. */
export interface WorkerApp {
  name: string
  /** Exact versions by package. */
  packages: Record<string, string>
  /** Texts by file; `src/run.js` exports `run`, which says what happened. */
  files: Record<string, string | Uint8Array>
  config?: InlineConfig
  /** Headers of every response. */
  headers?: Record<string, string>
  /** Engines that have what it needs. @default all */
  engines?: readonly EngineName[]
  /** What `run` says, with the plugin and without it. */
  says: unknown[]
  /** Files that workers are made of, each a pattern of one built file; none of them may run when it is changed. */
  workers: readonly RegExp[]
}

/** The page around each app: `app.run()` starts it, and `app.lives()` says whether the rest of the page works. */
const pageFiles: Record<string, string> = {
  'package.json': '{"name":"app","type":"module"}',
  'index.html': appFiles['index.html']!.replace(
    'globalThis.refusals = []',
    `globalThis.evil = 0
      globalThis.heard = new BroadcastChannel('evil')
      heard.onmessage = () => evil++
      globalThis.refusals = []`,
  ),
  'src/main.js': `globalThis.app = {
  run: async () => (await import('./run.js')).run(),
  lives: async () => (await import('./lives.js')).text,
}
`,
  'src/lives.js': `export const text = 'lives'
`,
}

/**
 * Builds an app by Vite in a folder from which its packages can be found.
 * @param key without it, the app is built as without the plugin
 * @returns the output folder
 */
export async function buildApp(
  { files, config = {} }: WorkerApp,
  folder: string,
  key: KeySource | undefined,
): Promise<string> {
  const outDir = `${folder}/${key === undefined ? 'plain' : 'signed'}`
  await writeFiles(folder, { ...pageFiles, ...files })
  const { build, mergeConfig } = await import('vite')
  const plugins: PluginOption[] = key === undefined ? [] : [(await loadPlugin())(key) as never]
  const own: InlineConfig = {
    root: folder,
    configFile: false,
    logLevel: 'error',
    plugins,
    build: { outDir, chunkSizeWarningLimit: 1e6 },
    worker: { format: 'es' },
  }
  await build(mergeConfig(own, config))
  return outDir
}

/** The built file that a pattern names. */
export function fileOf(folder: string, pattern: RegExp): string {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const found = paths.map((path) => path.replaceAll('\\', '/')).filter((path) => pattern.test(path))
  if (found.length !== 1) throw new Error(`${found.length} files match ${pattern}: ${paths}`)
  return found[0]!
}

/** Opens an app and runs it: what it says is what it says without the plugin. */
export async function works(page: Page, site: TestSite, { says }: WorkerApp): Promise<void> {
  site.reset()
  await page.goto(site.url)
  assert.is((await look(page)).alert, '')
  assert.equal(await run(page), says)
  assert.equal((await glance(page)).refusals, [])
  await lives(page)
}

/** How long big workers may take to start, in milliseconds. */
const patience = 60_000

/** What an attacker puts in front of a worker's code, so that a page can tell that it ran. */
const evil = `new BroadcastChannel('evil').postMessage(1);`

/** A served app, and which of its files is another one. */
export interface Changed {
  site: TestSite
  folder: string
  path: string
  /** Headers that it needs. */
  headers?: Record<string, string> | undefined
}

/** Opens an app with one of its workers' files changed. */
async function visitChanged(page: Page, { site, folder, path, headers = {} }: Changed) {
  site.reset()
  const bytes = readFileSync(join(folder, path))
  const isCode = /\.m?js$/.test(path)
  // The last byte of WebAssembly stands in what an engine reads past.
  if (!isCode) bytes[bytes.length - 1]! ^= 1
  const type = isCode ? 'text/javascript' : 'application/wasm'
  site.reply(path, { type, headers, body: isCode ? evil + bytes : bytes })
  await page.goto(site.url)
  assert.is((await look(page)).alert, '')
  await page.evaluate(() => {
    const all = globalThis as never as { app: { run(): Promise<unknown> }; ended?: string }
    const end = (how: string) => void (all.ended = how)
    all.app.run().then(
      () => end('worked'),
      () => end('failed'),
    )
  })
}

/** A changed file of a worker runs where nothing checks it. */
export async function runsEvil(page: Page, changed: Changed): Promise<void> {
  await visitChanged(page, changed)
  await page.waitFor(() => {
    const { evil, ended } = globalThis as never as { evil: number; ended?: string }
    return evil > 0 || ended === 'worked'
  }, patience)
}

/** A changed file of a worker does not run, is refused with its path, and the rest of the page works. */
export async function refuses(page: Page, changed: Changed): Promise<void> {
  await visitChanged(page, changed)
  await page.waitFor(
    () => (globalThis as never as { refusals: string[] }).refusals.length > 0,
    patience,
  )
  await lives(page)
  // Time for what must not happen.
  await new Promise((settle) => setTimeout(settle, 500))
  const { refusals, ...seen } = await page.evaluate(() => {
    const { refusals, evil, ended } = globalThis as never as Record<string, unknown>
    return { refusals: refusals as string[], evil, worked: ended === 'worked' }
  })
  assert.is(refusals[0], `ERR_SIGNEDIMP_CHANGED ${changed.path}`)
  // Some ask for it in another way then, which is refused, too.
  assert.ok(
    refusals.every((text) => text.endsWith(` ${changed.path}`)),
    `${refusals}`,
  )
  assert.equal(seen, { evil: 0, worked: false })
}

const run = (page: Page): Promise<unknown> =>
  page.evaluate(() => (globalThis as never as { app: { run(): Promise<never> } }).app.run())

async function lives(page: Page): Promise<void> {
  const said = await page.evaluate(() =>
    (globalThis as never as { app: { lives(): Promise<string> } }).app.lives(),
  )
  assert.is(said, 'lives')
}
