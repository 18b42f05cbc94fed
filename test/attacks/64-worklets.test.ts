import { readFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { appFiles, loadPlugin, serveApp, type Reply, type TestSite } from '../support/app.ts'
import { attack, attacks } from '../support/attack.ts'
import type { Page } from '../support/browsers.ts'
import { asWasm, evil as evilAnswer, good, wasm } from '../support/fetch-app.ts'
import { buildFixture } from '../support/fixture.ts'
import { glance, look } from '../support/visit.ts'

// Worklets, shared workers, what workers fetch, and documents that inherit nothing: 64, 65 and 105.

/** Adds a worklet's module, and says what its processor answers. */
const main = `import bundled from './bundled.js?worker&url'
const urls = { bundled, copied: new URL('./copied.js', import.meta.url).href, unlisted: '/evil.js' }
globalThis.hear = async (name) => {
  const context = new OfflineAudioContext(1, 128, 44100)
  try {
    await context.audioWorklet.addModule(urls[name])
  } catch (error) {
    return error.code ? error.code + ' ' + error.path : String(error)
  }
  const node = new AudioWorkletNode(context, name)
  const answer = new Promise((settle) => (node.port.onmessage = ({ data }) => settle(data)))
  node.port.postMessage('hello')
  context.startRendering()
  return answer
}
globalThis.share = (url) => {
  try {
    new SharedWorker(url)
    return 'made'
  } catch (error) {
    return error.code + ' ' + error.path
  }
}
globalThis.compute = (way) =>
  new Promise((settle) => {
    const worker = new Worker(new URL('./computer.js', import.meta.url), { type: 'module' })
    worker.onmessage = ({ data }) => settle(data)
    worker.postMessage(way)
  })
globalThis.app = {}
`

const processor = (
  name: string,
  says: string,
) => `registerProcessor('${name}', class extends AudioWorkletProcessor {
  constructor() {
    super()
    this.port.onmessage = () => this.port.postMessage(${says})
  }
  process() {
    return true
  }
})
`

const files: Record<string, string | Uint8Array> = {
  'index.html': appFiles['index.html']!,
  'src/main.js': main,
  'src/bundled.js': `import { dep } from './worklet-dep.js'\n${processor('bundled', "'bundled ' + dep + ' ' + import.meta.url")}`,
  'src/worklet-dep.js': `export const dep = 'dep café'\n`,
  'src/copied.js': processor('copied', "'copied'"),
  'src/answer.wasm': wasm(good),
  'src/computer.js': `import url from './answer.wasm?url'
const run = async (bytes) => (await WebAssembly.instantiate(await bytes)).instance.exports.answer()
const ways = {
  stream: async () => (await WebAssembly.instantiateStreaming(fetch(url))).instance.exports.answer(),
  request: () => run(fetch(new Request(url)).then((response) => response.arrayBuffer())),
  async xhr() {
    const request = new XMLHttpRequest()
    request.open('GET', url, false)
    request.responseType = 'arraybuffer'
    request.send()
    return run(request.response)
  },
}
onmessage = ({ data }) =>
  ways[data]().then(postMessage, (error) => postMessage(error.code + ' ' + error.path))
`,
}

const apart = (id: string) => (id.endsWith('worklet-dep.js') ? 'worklet-dep' : undefined)
const names = {
  entryFileNames: 'assets/[name].js',
  chunkFileNames: 'assets/[name].js',
  assetFileNames: 'assets/[name][extname]',
}
const worker = {
  format: 'es',
  rollupOptions: { output: { ...names, manualChunks: apart } },
} as const

async function build(more: Record<string, string> = {}): Promise<string> {
  const signedImp = await loadPlugin()
  const key = await generateKey('ecdsa-p256')
  return buildFixture({ ...files, ...more }, { plugins: [signedImp(key)], config: { worker } })
}

let folder: string
let site: TestSite

attacks.before(async () => {
  folder = await build()
  site = await serveApp(folder)
})

attacks.after(() => site.close())

async function hear(page: Page, name: string): Promise<string> {
  await page.goto(site.url)
  assert.is((await look(page)).alert, '')
  return page.evaluate(
    (worklet) => (globalThis as never as { hear(name: string): Promise<string> }).hear(worklet),
    name,
  )
}

const evil = (path: string): Reply => ({
  body: processor('bundled', "'EVIL'") + processor('copied', "'EVIL'") + `//${path}`,
})

attack(64, 'an honest worklet runs', { engines: 'all' }, async (page) => {
  site.reset()
  const url = `${site.url}assets/bundled.js`
  assert.is(await hear(page, 'bundled'), `bundled dep café ${url}`)
  assert.is(await hear(page, 'copied'), 'copied')
  assert.equal((await glance(page)).refusals, [])
  return 'ok the worklet runs'
})

const places: Record<string, [name: string, path: string]> = {
  'its module': ['bundled', 'assets/bundled.js'],
  'a static import': ['bundled', 'assets/worklet-dep.js'],
  'a copied module': ['copied', 'assets/copied.js'],
}

attack(
  64,
  'code of a worklet',
  { engines: 'all', variants: Object.keys(places) },
  async (page, _, variant) => {
    const [name, path] = places[variant]!
    site.reset()
    site.reply(path, evil(path))
    const refused = `ERR_SIGNEDIMP_CHANGED ${path}`
    assert.is(await hear(page, name), refused)
    assert.equal((await glance(page)).refusals, [refused])
    return 'refused ERR_SIGNEDIMP_CHANGED'
  },
)

attack(64, 'a worklet that is not listed', { engines: 'all' }, async (page) => {
  site.reset()
  site.reply('evil.js', evil('evil.js'))
  assert.is(await hear(page, 'unlisted'), `ERR_SIGNEDIMP_UNLISTED ${site.url}evil.js`)
  return 'refused ERR_SIGNEDIMP_UNLISTED'
})

attack(
  64,
  'a shared worker',
  { engines: 'all', variants: ['/evil.js', '/assets/bundled.js'] },
  async (page, _, url) => {
    site.reset()
    await page.goto(site.url)
    await look(page)
    const said = await page.evaluate(
      (script) => (globalThis as never as { share(url: string): string }).share(script),
      url,
    )
    assert.is(said, `ERR_SIGNEDIMP_NOT_ENFORCEABLE ${new URL(url, site.url).href}`)
    return 'refused ERR_SIGNEDIMP_NOT_ENFORCEABLE'
  },
)

const scripts: Record<string, [path: string, sources: Record<string, string>]> = {
  'a shared worker': [
    'assets/shared.js',
    {
      'src/main.js': `new SharedWorker(new URL('./shared.js', import.meta.url))`,
      'src/shared.js': `onconnect = ({ ports }) => ports[0].postMessage('hello')`,
    },
  ],
  'a service worker': [
    'sw.js',
    {
      'src/main.js': `navigator.serviceWorker.register('/sw.js')\nnew Worker('/other.js')`,
      'public/sw.js': `addEventListener('fetch', () => postMessage)`,
      'public/other.js': 'onmessage = () => {}',
    },
  ],
  'a script of a tag': [
    'tag.js',
    {
      'src/main.js': `document.head.append(Object.assign(document.createElement('script'), { src: '/tag.js' }))\nself.Worker`,
      'public/tag.js': 'globalThis.__evil = 1',
    },
  ],
  'a worker that imports what no bundler linked': [
    'w.js',
    {
      'src/main.js': `new Worker(location.hash || '/w.js')`,
      'public/w.js': `onmessage = () => import('./evil.js')`,
    },
  ],
}

attack(
  64,
  'a build does not let pass what nothing checks',
  { variants: Object.keys(scripts) },
  async (variant) => {
    const [path, sources] = scripts[variant]!
    // Bundlers put errors into errors of their own.
    const said = await build(sources).then(() => 'built', String)
    assert.match(
      said,
      `ERR_SIGNEDIMP_NOT_COVERED this build has code that no page would check:\n  ${path}`,
    )
    return 'refused ERR_SIGNEDIMP_NOT_COVERED'
  },
)

const wasmPath = 'assets/answer.wasm'

const compute = (page: Page, way: string): Promise<unknown> =>
  page.evaluate(
    (name) =>
      (globalThis as never as { compute(way: string): Promise<string | number> }).compute(name),
    way,
  )

attack(
  65,
  'WebAssembly in a worker',
  { engines: 'all', variants: ['stream', 'request'] },
  async (page, _, way) => {
    site.reset()
    await page.goto(site.url)
    await look(page)
    assert.is(await compute(page, way), good)
    site.reply(wasmPath, asWasm({ body: wasm(evilAnswer) }))
    const refused = `ERR_SIGNEDIMP_CHANGED ${wasmPath}`
    assert.is(await compute(page, way), refused)
    assert.is(await compute(page, 'xhr'), `ERR_SIGNEDIMP_NOT_ENFORCEABLE ${wasmPath}`)
    assert.is((await glance(page)).refusals[0], refused)
    return 'refused ERR_SIGNEDIMP_CHANGED'
  },
)

attack(105, 'a listed module in a srcdoc document', { engines: 'all' }, async (page) => {
  site.reset()
  site.reply('assets/bundled.js', { body: 'parent.framed = 1' })
  await page.goto(site.url)
  await look(page)
  await page.evaluate(() => {
    const frame = document.createElement('iframe')
    frame.srcdoc = '<script type="module" src="/assets/bundled.js"></scr' + 'ipt>'
    document.body.append(frame)
  })
  await page.waitFor(() => 'framed' in globalThis)
  assert.match(readFileSync('docs/threat-model.md', 'utf8'), 'srcdoc')
  return 'documented limit: a document that code makes has no map'
})

attacks.run()
