import type { KeySource } from '../../src/keys/private.ts'
import type { SignedImpOptions } from '../../src/plugin/options.ts'
import { loadPlugin } from './app.ts'
import { buildFixture } from './fixture.ts'
import type { Page } from './page.ts'

/** The versions of Vite that workers are built with. */
export const viteNames = ['vite5', 'vite6', 'vite7', 'vite'] as const
export type ViteName = (typeof viteNames)[number]

/**
 * An app of workers. Each worker answers a message with what it is; those that load more when asked answer `lazy`,
 * `nested` and `script` with what that says.
 */
export const workersApp: Record<string, string> = {
  'index.html': `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>App</title>
    <script type="module" src="/src/main.js"></script>
    <script>
      globalThis.refusals = []
      addEventListener('signedimp:refusal', ({ detail }) => refusals.push(detail.code + ' ' + detail.path))
    </script>
  </head>
  <body></body>
</html>
`,
  'src/main.js': `import Query from './query.js?worker'
import Inline from './inline.js?worker&inline'
import url from './url.js?worker&url'
const make = {
  module: (options) => new Worker(new URL('./module.js', import.meta.url), { ...options, type: 'module' }),
  classic: () => new Worker('/classic.js'),
  query: () => new Query({ name: 'named' }),
  inline: () => new Inline(),
  url: () => new Worker(url, { type: 'module' }),
  any: (script, options) => new Worker(script, options),
}
globalThis.workers = {}
globalThis.events = []
/** Starts a worker, and notes what it says and what goes wrong. */
globalThis.start = (name, ...args) => {
  const worker = make[name](...args)
  workers[name] = worker
  worker.onmessage = ({ data }) => events.push(data)
  worker.onerror = (event) => {
    event.preventDefault()
    events.push('error ' + (event.message ?? ''))
  }
  return worker
}
globalThis.app = { loaded: true }
`,
  'src/module.js': `import { dep } from './worker-dep.js'
self.onmessage = async ({ data }) => {
  if (data === 'hello') postMessage('module ' + dep + ' ' + location.pathname.split('/').pop().split('.').pop() + ' ' + self.name)
  if (data === 'lazy') postMessage(await import('./worker-lazy.js').then((m) => m.text, (error) => error.code + ' ' + error.path))
  if (data === 'nested') {
    const nested = new Worker(new URL('./nested.js', import.meta.url), { type: 'module' })
    nested.onmessage = (event) => postMessage(event.data)
    nested.onerror = (event) => {
      event.preventDefault()
      postMessage('nested error ' + (event.message ?? ''))
    }
    nested.postMessage('hello')
  }
}
`,
  'src/worker-dep.js': `export const dep = 'dep café'
`,
  'src/worker-lazy.js': `import { dep } from './worker-dep.js'
export const text = 'lazy ' + dep
`,
  'src/nested.js': `self.onmessage = ({ data }) => postMessage('nested ' + data)
`,
  'src/query.js': `self.onmessage = () => postMessage('query ' + self.name)
`,
  'src/inline.js': `self.onmessage = () => postMessage('inline')
`,
  'src/url.js': `self.onmessage = () => postMessage('url')
`,
  'public/classic.js': `'use strict'
self.onmessage = ({ data }) => {
  if (data === 'hello') postMessage('classic ' + (function () { return this === undefined })())
  if (data === 'script')
    try {
      importScripts('lib.js')
      postMessage(self.lib)
    } catch (error) {
      postMessage(error.code + ' ' + error.path)
    }
}
// importScripts('/lib.js')
`,
  'public/lib.js': `self.lib = 'lib ' + location.pathname
`,
}

/** Puts a worker's dependency into a chunk of its own. */
const apart = (id: string) => (id.endsWith('worker-dep.js') ? 'worker-dep' : undefined)

/** Builds the app; without a key, as Vite alone builds it. */
export async function buildWorkers(
  key: KeySource | undefined,
  {
    vite = 'vite',
    format = 'es',
    signed = {},
    base = '/',
  }: { vite?: ViteName; format?: 'es' | 'iife'; signed?: SignedImpOptions; base?: string } = {},
  files: Record<string, string> = workersApp,
): Promise<string> {
  const signedImp = await loadPlugin()
  const output = {
    entryFileNames: 'assets/[name].js',
    chunkFileNames: 'assets/[name].js',
    assetFileNames: 'assets/[name][extname]',
    ...(format === 'es' && { manualChunks: apart }),
  }
  return buildFixture(files, {
    vite,
    base,
    plugins: key === undefined ? [] : [signedImp(key, signed)],
    config: { worker: { format, rollupOptions: { output } } },
  })
}

/** Sends a worker something, and waits for as many events as there are then. */
export async function say(
  page: Page,
  name: string,
  data: unknown,
  count: number,
): Promise<string[]> {
  await page.evaluate(
    (worker, message) => {
      const { workers } = globalThis as never as { workers: Record<string, Worker> }
      workers[worker]!.postMessage(message)
    },
    name,
    data,
  )
  return eventsOf(page, count)
}

/** What workers have said, once there is as much as that. */
export async function eventsOf(page: Page, count: number): Promise<string[]> {
  const end = Date.now() + 8000
  for (;;) {
    const events = await page.evaluate(() => (globalThis as never as { events: string[] }).events)
    if (events.length >= count || Date.now() > end) return events
    await new Promise((settle) => setTimeout(settle, 50))
  }
}
