import type { SignedImpOptions } from '../../src/plugin/options.ts'
import type { KeySource } from '../../src/keys/private.ts'
import { appFiles, loadPlugin, type TestSite } from './app.ts'
import { buildByEsbuild } from './esbuild.ts'
import { buildFixture } from './fixture.ts'
import type { Page } from './page.ts'
import type { ViteName } from './styles-app.ts'

export { viteNames, type ViteName } from './styles-app.ts'

/** Starts workers by name, and notes what each says and what goes wrong. */
const main = (workers: string) => `globalThis.make = { ${workers},
  any: (script, options) => new Worker(script, options),
}
globalThis.workers = {}
globalThis.events = []
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
globalThis.told = []
addEventListener('signedimp:refusal', ({ detail }) => told.push(detail.code + ' ' + detail.path))
globalThis.app = {}
`

const module = (name: string, options = '') =>
  `${name}: () => new Worker(new URL('./${name}.js', import.meta.url), { type: 'module'${options} })`

const answer = (text: string) => `self.onmessage = ({ data }) => postMessage('${text} ' + data)\n`

/** Both bundlers build these. `module` loads more when it is asked to. */
const shared: Record<string, string> = {
  'index.html': appFiles['index.html']!,
  'src/module.js': `import { dep } from './worker-dep.js'
const tell = (error) => error.code + ' ' + error.path
self.onmessage = async ({ data }) => {
  if (data === 'hello') postMessage('module ' + dep + ' ' + self.name)
  if (data === 'where') postMessage([location.href, import.meta.url, String(location), location.origin].join(' '))
  if (data === 'fetch') {
    const read = async (url) => (await fetch(url)).text()
    const xhr = new XMLHttpRequest()
    xhr.open('GET', '/data.txt', false)
    xhr.send()
    const request = new Request('/data.txt').url
    postMessage([await read('../data.txt'), await read(new URL('/data.txt', location)), xhr.responseText, request].join(' '))
  }
  if (data === 'lazy') postMessage(await import('./worker-lazy.js').then(({ text }) => text, tell))
  if (data === 'again') postMessage(String((await import('./worker-lazy.js')) === (await import('./worker-lazy.js'))))
  if (data === 'unlisted') {
    const any = '/evil.js'
    postMessage(await import(/* @vite-ignore */ any).then(() => 'EVIL', tell))
  }
  if (data === 'nested') {
    const nested = new Worker(new URL('./nested.js', import.meta.url), { type: 'module' })
    nested.onmessage = (event) => postMessage(event.data)
    nested.onerror = (event) => {
      event.preventDefault()
      postMessage('nested error ' + (event.message ?? ''))
    }
    nested.postMessage('hello')
  }
  if (data === 'nested unlisted')
    try {
      new Worker('/evil.js').onmessage = () => postMessage('EVIL')
    } catch (error) {
      postMessage(tell(error))
    }
}
`,
  'src/worker-dep.js': `export const dep = 'dep café'\n`,
  'src/worker-lazy.js': `import { dep } from './worker-dep.js'\nexport const text = 'lazy ' + dep\n`,
  'src/nested.js': answer('nested'),
  'src/order.js': `const heard = []
self.onmessage = (event) => {
  const { data, ports, target } = event
  if (data === 'end') return postMessage({ heard })
  const kind = data instanceof ArrayBuffer ? 'buffer ' + data.byteLength : data
  heard.push([kind, ports.length, target === self].join(' '))
  ports[0]?.postMessage(kind)
}
`,
  'src/throws.js': `self.onmessage = ({ data }) => postMessage('after ' + data)
throw new RangeError('at the top')
`,
}

const byVite: Record<string, string> = {
  'src/main.js': `import Query from './query.js?worker'
import Inline from './inline.js?worker&inline'
import url from './url.js?worker&url'
${main(
  [
    module('module', `, name: 'm'`),
    module('order'),
    module('throws'),
    `classic: () => new Worker('/classic.js?a=1#b')`,
    `wrong: () => new Worker('/wrong.js')`,
    `query: () => new Query({ name: 'q' })`,
    `inline: () => new Inline()`,
    `url: () => new Worker(url, { type: 'module' })`,
  ].join(',\n  '),
)}`,
  'src/query.js': `self.onmessage = ({ data }) => postMessage('query ' + data + ' ' + self.name)\n`,
  'src/inline.js': answer('inline'),
  'src/url.js': answer('url'),
  'public/classic.js': `'use strict'
self.onmessage = ({ data }) => {
  if (data === 'hello') postMessage('classic ' + (function () { return this === undefined })() + ' ' + location.search + location.hash)
  if (data === 'script' || data === 'other script')
    try {
      importScripts(data === 'script' ? 'lib.js' : '/evil.js')
      postMessage(self.lib)
    } catch (error) {
      postMessage(error.code + ' ' + error.path)
    }
}
// importScripts('lib.js') is what it may do.
`,
  'public/lib.js': `self.lib = 'lib ' + location.pathname\n`,
  'public/wrong.js': `self.onmessage = ({ data }) => postMessage(data)\nlet = = ;\n`,
  'public/data.txt': 'data',
}

const byEsbuild: Record<string, string> = {
  'src/main.js': main(
    [module('module', `, name: 'm'`), module('order'), module('throws')].join(',\n  '),
  ),
}

/** The worker's dependency is a chunk of its own, as what several share is. */
const apart = (id: string) => (id.endsWith('worker-dep.js') ? 'worker-dep' : undefined)

/** How the app of workers is built. */
export interface WorkersOptions {
  vite?: ViteName
  /** Vite's default is `iife`, which has no lazy chunks. @default 'es' */
  format?: 'es' | 'iife'
  signed?: SignedImpOptions
  base?: string
  files?: Record<string, string>
}

/** Builds the app by Vite; without a key, as Vite alone builds it. */
export async function buildWorkers(
  key: KeySource | undefined,
  { vite = 'vite', format = 'es', signed = {}, base = '/', files = {} }: WorkersOptions = {},
): Promise<string> {
  const signedImp = await loadPlugin()
  const names = { entryFileNames: 'assets/[name].js', chunkFileNames: 'assets/[name].js' }
  const output = { ...names, ...(format === 'es' && { manualChunks: apart }) }
  const all: Record<string, string> = { ...shared, ...byVite, ...files }
  if (format === 'iife')
    all['src/module.js'] = all['src/module.js']!.replaceAll(`import('./worker-lazy.js')`, 'self')
  return buildFixture(all, {
    vite,
    base,
    plugins: key === undefined ? [] : [signedImp(key, signed)],
    config: { html: { cspNonce: 'abc' }, worker: { format, rollupOptions: { output } } },
  })
}

/** Builds the app by esbuild: each worker is an entry, and shares chunks with the others. */
export async function buildWorkersByEsbuild(
  key: KeySource | undefined,
  { signed = {}, files = {} }: Pick<WorkersOptions, 'signed' | 'files'> = {},
): Promise<string> {
  const workers = ['module', 'nested', 'order', 'throws']
  const entry = (name: string) => ({ in: `src/${name}.js`, out: `assets/${name}` })
  const all = { ...shared, ...byEsbuild, ...files }
  const { dir } = await buildByEsbuild(all, {
    key,
    signed,
    config: { entryPoints: ['main', ...workers].map(entry) },
  })
  return dir
}

/** Starts a worker of the app. @returns what went wrong at once, as `CODE path`, if something did */
export const begin = (page: Page, name: string, ...args: unknown[]): Promise<string> =>
  page.evaluate(
    (worker, rest) => {
      try {
        ;(globalThis as never as { start(...args: unknown[]): unknown }).start(worker, ...rest)
        return ''
      } catch (error) {
        const { code, path, name: kind } = error as Error & Record<'code' | 'path', string>
        return `${typeof code === 'string' ? code : kind} ${path ?? ''}`
      }
    },
    name,
    args,
  )

/**
 * Sends a worker something, and waits for what is said next.
 * @param before how much had been said, where that may come by itself
 */
export async function say(
  page: Page,
  name: string,
  data: unknown,
  before?: number,
): Promise<string | undefined> {
  const count = before ?? (await eventsOf(page)).length
  await page.evaluate(
    (worker, message) => {
      const { workers } = globalThis as never as { workers: Record<string, Worker> }
      workers[worker]!.postMessage(message)
    },
    name,
    data,
  )
  return (await eventsOf(page, count + 1))[count]
}

/**
 * Has a worker start another one; where nothing comes of it, once more, in a new one: Firefox loses such workers at times, its
 * own, too, and then all that the same worker starts.
 */
export async function nest(page: Page, data = 'nested'): Promise<string | undefined> {
  for (let left = 3; left > 0; left--) {
    const said = await say(page, 'module', data)
    if (said !== undefined) return said
    await begin(page, 'module')
  }
  return undefined
}

/** What workers have said, once there is as much as that, or time is up. */
export async function eventsOf(page: Page, count = 0): Promise<string[]> {
  const end = Date.now() + 8000
  for (;;) {
    const events = await page.evaluate(() => (globalThis as never as { events: string[] }).events)
    if (events.length >= count || Date.now() > end) return events
    await new Promise((settle) => setTimeout(settle, 50))
  }
}

const scripts = [
  ...['module', 'order', 'throws', 'query', 'url'].map((name) => `assets/${name}.js`),
  'classic.js',
  'wrong.js',
]

/** Keeps the page from fetching the scripts of workers, so that these must do it: whoever asks first gets nothing. */
export function keepScripts(site: TestSite): void {
  site.reset()
  for (const path of scripts)
    site.reply(path, (request) => (request === 0 ? { status: 503, body: '' } : undefined))
}
