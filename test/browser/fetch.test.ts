import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { serveApp, type TestSite } from '../support/app.ts'
import { inEngines, type Page } from '../support/browsers.ts'
import {
  ask,
  asWasm,
  buildFetchEntry,
  evil,
  go,
  good,
  openApp,
  serveFetch,
  wasm,
  wasmPath,
  waysOf,
  type FetchBundler,
} from '../support/fetch-app.ts'
import { scratchFolder } from '../support/processes.ts'
import { heardOf, viteNames } from '../support/styles-app.ts'

// WebAssembly as each bundler's users write it, without a word about it in the source: as signed, or not at all.

const bundlers: readonly FetchBundler[] = [...viteNames, 'esbuild']
const sites = {} as Record<FetchBundler, TestSite>

/** A build that says what else is to be checked, and what is not, and runs under every policy. */
let chosen: TestSite
/** An entry that no page of its build starts. */
let entry: TestSite
let other: TestSite

test.before(async () => {
  const key = await generateKey('ecdsa-p256')
  const signed = {
    resources: ['data*'],
    unverified: ['assets/other.wasm'],
    inline: false,
    tags: true,
  } as const
  chosen = await serveFetch(key, 'vite', { signed })
  entry = await serveApp(await buildFetchEntry(key))
  other = await serveApp(scratchFolder(), { cors: true })
  for (const bundler of bundlers) sites[bundler] = await serveFetch(key, bundler)
})

test.after(async () => {
  for (const site of [...Object.values(sites), chosen, entry, other]) await site.close()
})

for (const bundler of bundlers) {
  inEngines(test, `${bundler}: signed WebAssembly runs`, async (page) => {
    const site = sites[bundler]
    site.reset()
    await openApp(page, site)
    const ways = await waysOf(page)
    assert.is(ways.length, bundler === 'esbuild' ? 2 : 3)
    for (const way of ways) assert.is(await go(page, way), good, way)
    assert.equal(await heardOf(page, 0), [])
  })

  inEngines(test, `${bundler}: WebAssembly with one other byte does not run`, async (page) => {
    const site = sites[bundler]
    site.reset()
    site.reply(wasmPath, asWasm({ body: wasm(evil) }))
    await openApp(page, site)
    const ways = await waysOf(page)
    const refused = `ERR_SIGNEDIMP_CHANGED ${wasmPath}`
    for (const way of ways) assert.is(await go(page, way), refused, way)
    assert.equal(
      await heardOf(page, ways.length),
      ways.map(() => refused),
    )
  })
}

/** Opens the app of Vite 8, as it is served until something else is said. */
async function openVite(page: Page): Promise<TestSite> {
  for (const site of [sites.vite, other]) site.reset()
  await openApp(page, sites.vite)
  return sites.vite
}

const url = `'/${wasmPath}'`

inEngines(test, 'fetch looks as it does without', async (page) => {
  await openVite(page)
  const seen = await page.evaluate(() => {
    const { fetch: native } = document.body.appendChild(document.createElement('iframe'))
      .contentWindow as unknown as typeof globalThis
    const look = (one: typeof fetch, owner: object) => {
      const { value: _, ...rest } = Object.getOwnPropertyDescriptor(owner, 'fetch')!
      return [
        one.name,
        one.length,
        typeof one,
        'prototype' in one,
        /native code/.test(`${one}`),
        rest,
      ]
    }
    return [look(fetch, globalThis), look(native, frames[0]!)]
  })
  assert.equal(seen[0], seen[1])
  for (const call of [
    'fetch()',
    "fetch('http://[')",
    "fetch(Symbol('x'))",
    "fetch.call({}, '/')",
  ]) {
    // In the promise, and not where it is called.
    const said = await page.evaluate(
      `(() => { try { return ${call}.then(() => 'ok', ({ name }) => name) } catch { return 'thrown' } })()`,
    )
    assert.is(said, 'TypeError', call)
  }
})

inEngines(test, 'what is checked is a response like any other', async (page) => {
  const site = await openVite(page)
  const streamed = `(await WebAssembly.instantiateStreaming(fetch(${url}))).instance.exports.answer()`
  assert.is(await ask(page, streamed), good)
  const seen = await ask(
    page,
    `{
      const response = await fetch(${url} + '#x')
      const { url, redirected, type, status, ok } = response
      return [url, redirected, type, status, ok, response.headers.get('content-type'), response.bodyUsed,
        await answer(response.clone()), await answer(response)]
    }`,
  )
  const own = site.url + wasmPath
  assert.equal(seen, [own, false, 'basic', 200, true, 'application/wasm', false, good, good])
  other.reply('moved.wasm', asWasm({ body: wasm(good) }))
  const location = `${other.url}moved.wasm`
  site.reply(wasmPath, { status: 302, headers: { location }, body: '' })
  const moved = `{ const { url, redirected, type } = await fetch(${url}); return [url, redirected, type] }`
  assert.equal(await ask(page, moved), [location, true, 'cors'])
  assert.is(
    await ask(page, `fetch(${url}, { redirect: 'manual' })`),
    `ERR_SIGNEDIMP_CHANGED ${wasmPath}`,
  )
})

inEngines(test, 'what a caller says of a request holds', async (page) => {
  const site = await openVite(page)
  const last = () => site.requests.filter(({ path }) => path === wasmPath).at(-1)!
  assert.is(await ask(page, `answer(fetch(${url}))`), good)
  assert.is(last().headers.referer, site.url)
  const init = `{ referrerPolicy: 'no-referrer', headers: { accept: 'x/y', 'x-own': '1' } }`
  assert.is(await ask(page, `answer(fetch(new Request(${url}), ${init}))`), good)
  const { referer, accept, 'x-own': own } = last().headers
  assert.equal([referer, accept, own], [undefined, 'x/y', '1'])
  const aborted = (when: string) => `{
    const controller = new AbortController()
    ${when === 'before' ? "controller.abort('mine')" : ''}
    const work = fetch(${url}, { signal: controller.signal, cache: 'no-store' })
    controller.abort('mine')
    return work.catch((reason) => reason)
  }`
  for (const when of ['before', 'after']) assert.is(await ask(page, aborted(when)), 'mine')
  assert.equal(await heardOf(page, 0), [])
})

inEngines(test, 'what is no GET of a listed file is left alone', async (page) => {
  const site = await openVite(page)
  site.reply(wasmPath, asWasm({ body: wasm(evil) }))
  const ways = [
    `fetch(${url}, { method: 'POST', body: 'x' })`,
    `fetch(new Request(${url}, { method: 'PUT', body: 'x' }))`,
    `fetch(${url}, { method: 'HEAD' })`,
  ]
  for (const way of ways) assert.is(await ask(page, `(await ${way}).status`), 200, way)
  const methods = site.requests.filter(({ path }) => path === wasmPath).map(({ method }) => method)
  assert.equal(methods, ['POST', 'PUT', 'HEAD'])
  site.reply('data.json', { type: 'application/json', body: '{"answer":1}' })
  assert.is(await ask(page, `(await (await fetch('/data.json')).json()).answer`), 1)
  assert.equal(await heardOf(page, 0), [])
})

const json = `(await (await fetch('/data.json')).json()).answer`

/** What a page must lack for each of them to check. */
const policies = {
  map: '',
  blob: `script-src 'self' blob:`,
  tags: `script-src 'self'`,
}

for (const [enforcement, policy] of Object.entries(policies))
  inEngines(test, `${enforcement}: what the option names is checked`, async (page) => {
    chosen.reset()
    const headers: Record<string, string> = policy ? { 'content-security-policy': policy } : {}
    chosen.reply('index.html', { type: 'text/html; charset=utf-8', headers })
    await openApp(page, chosen)
    assert.is(await page.evaluate('__signedimp.enforcement'), enforcement)
    assert.is(await ask(page, json), 42)
    chosen.reply('data.json', { type: 'application/json', body: '{"answer":43}\n' })
    assert.is(await ask(page, json), 'ERR_SIGNEDIMP_CHANGED data.json')
    chosen.reply('assets/other.wasm', asWasm({ body: 'anything' }))
    assert.is(await ask(page, `(await fetch(other)).text()`), 'anything')
    assert.is(await ask(page, `signedFetch(other)`), 'ERR_SIGNEDIMP_CHANGED assets/other.wasm')
  })

inEngines(test, 'the WebAssembly of an entry that no page of the build starts', async (page) => {
  entry.reset()
  await openApp(page, entry)
  for (const way of await waysOf(page)) assert.is(await go(page, way), good, way)
  assert.equal(await heardOf(page, 0), [])
  entry.reply(wasmPath, asWasm({ body: wasm(evil) }))
  const refused = `ERR_SIGNEDIMP_CHANGED ${wasmPath}`
  for (const way of await waysOf(page)) assert.is(await go(page, way), refused, way)
})

inEngines(test, 'a file that is checked has a URL for what takes nothing else', async (page) => {
  const site = await openVite(page)
  const size = `{
    const url = await signedURL('/pixel.svg')
    const image = new Image()
    image.src = url
    await image.decode()
    const { type } = await (await fetch(url)).blob()
    URL.revokeObjectURL(url)
    return [url.split(':')[0], type, image.width, image.height]
  }`
  site.reply('pixel.svg', { type: 'text/html' })
  assert.equal(await ask(page, size), ['blob', 'image/svg+xml', 3, 2])
  site.reply('pixel.svg', {
    type: 'image/svg+xml',
    body: '<svg xmlns="http://www.w3.org/2000/svg"/>',
  })
  assert.is(await ask(page, size), 'ERR_SIGNEDIMP_CHANGED pixel.svg')
  const unlisted = `${site.url}index.html`
  assert.is(await ask(page, `signedURL('index.html')`), `ERR_SIGNEDIMP_UNLISTED ${unlisted}`)
  assert.equal(await heardOf(page, 2), [
    'ERR_SIGNEDIMP_CHANGED pixel.svg',
    `ERR_SIGNEDIMP_UNLISTED ${unlisted}`,
  ])
  for (const wrong of [`{ method: 'POST' }`, `{ headers: { Range: 'bytes=0-1' } }`])
    assert.is(await ask(page, `signedFetch('/pixel.svg', ${wrong})`), 'TypeError')
})

test.run()
