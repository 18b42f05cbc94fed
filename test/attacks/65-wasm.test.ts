import { createHash } from 'node:crypto'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import {
  appBundlers,
  serveApp,
  type AppBundler,
  type Reply,
  type TestSite,
} from '../support/app.ts'
import { attack, attacks } from '../support/attack.ts'
import type { Page } from '../support/browsers.ts'
import {
  another,
  ask,
  asWasm,
  evil,
  good,
  openApp,
  serveFetch,
  wasm,
  wasmPath,
} from '../support/fetch-app.ts'
import { scratchFolder } from '../support/processes.ts'
import { heardOf } from '../support/styles-app.ts'

// WebAssembly that a page fetches, under everything that a server, and code of the page itself, can make of that: 65.

const sites = {} as Record<AppBundler, TestSite>
let other: TestSite
let site: TestSite

attacks.before(async () => {
  other = await serveApp(scratchFolder(), { cors: true })
  const key = await generateKey('ecdsa-p256')
  for (const bundler of appBundlers) sites[bundler] = await serveFetch(key, bundler)
})

attacks.after(async () => {
  for (const one of [...Object.values(sites), other]) await one.close()
})

const turnTo = (bundler: AppBundler) => {
  site = sites[bundler]
  for (const one of [site, other]) one.reset()
  other.reply('evil.wasm', asWasm({ body: wasm(evil) }))
  other.reply('good.wasm', asWasm({ body: wasm(good) }))
}

const redirect = (location: string): Reply => ({ status: 302, headers: { location }, body: '' })
const url = `'/${wasmPath}'`

/** What the server answers, and the code that the page is told. */
const replies: Record<string, [reply: () => Reply, code: string]> = {
  'another byte': [() => asWasm({ body: wasm(evil) }), 'CHANGED'],
  'a section more': [
    () => asWasm({ body: new Uint8Array([...wasm(good), 0, 2, 1, 65]) }),
    'CHANGED',
  ],
  'another file': [() => asWasm({ body: wasm(another) }), 'CHANGED'],
  empty: [() => asWasm({ body: '' }), 'CHANGED'],
  'the first answer only': [() => asWasm({ body: wasm(evil) }), 'REFUSED'],
  'a redirect to another listed file': [() => redirect('/assets/other.wasm'), 'CHANGED'],
  'a redirect elsewhere': [() => redirect(`${other.url}evil.wasm`), 'CHANGED'],
  'the right bytes with status 404': [() => asWasm({ status: 404 }), 'MISSING'],
  'the right bytes with status 206': [() => asWasm({ status: 206 }), 'NETWORK'],
  'the right bytes with status 503': [() => asWasm({ status: 503 }), 'NETWORK'],
  'a page': [() => ({ type: 'text/html', body: '<p>' }), 'MISSING'],
}

attack(
  65,
  'WebAssembly from the server',
  { engines: 'all', variants: Object.keys(replies), turnTo },
  async (page, _, name) => {
    const [reply, code] = replies[name]!
    site.reply(wasmPath, (request) => (code === 'REFUSED' && request > 0 ? undefined : reply()))
    await openApp(page, site)
    const refused = `ERR_SIGNEDIMP_${code} ${wasmPath}`
    assert.is(await ask(page, `answer(fetch(${url}))`), refused)
    assert.equal(await heardOf(page, 1), [refused])
    return `refused ERR_SIGNEDIMP_${code}`
  },
)

attack(37, 'WebAssembly: the second answer', { engines: 'all', turnTo }, async (page) => {
  site.reply(wasmPath, { type: 'application/wasm', body: wasm(evil), from: 1 })
  site.reply(wasmPath, (request) => (request > 0 ? asWasm({ body: wasm(evil) }) : undefined))
  await openApp(page, site)
  assert.is(await ask(page, `answer(fetch(${url}))`), good)
  const refused = `ERR_SIGNEDIMP_CHANGED ${wasmPath}`
  assert.is(await ask(page, `answer(fetch(${url}))`), refused)
  return `refused ERR_SIGNEDIMP_CHANGED`
})

const evilIntegrity = `'sha256-${createHash('sha256').update(wasm(evil)).digest('base64')}'`

/** How code of the page asks. The server has one other byte. */
const calls: Record<string, string> = {
  text: `fetch(${url})`,
  'a URL': `fetch(new URL(${url}, location.href))`,
  'a request': `fetch(new Request(${url}))`,
  'a request of another realm': `(() => {
    const frame = document.createElement('iframe')
    document.body.append(frame)
    return fetch(new frame.contentWindow.Request(new URL(${url}, location.href)))
  })()`,
  'no integrity': `fetch(${url}, { integrity: '' })`,
  "the evil file's integrity": `fetch(${url}, { integrity: ${evilIntegrity} })`,
  "a request with the evil file's integrity": `fetch(new Request(${url}, { integrity: ${evilIntegrity} }))`,
  'a query': `fetch(${url} + '?v=2')`,
  'a fragment': `fetch(${url} + '#x')`,
  'an escaped letter': `fetch(${url}.replace('answer', '%61nswer'))`,
  'dots and slashes': `fetch('/x/.././' + ${url}.slice(1))`,
  'mode no-cors': `fetch(${url}, { mode: 'no-cors' })`,
  'no cache': `fetch(${url}, { cache: 'no-store', credentials: 'omit', redirect: 'error' })`,
  'a method in small letters': `fetch(${url}, { method: 'get' })`,
  'as a method of another object': `globalThis.fetch.call(undefined, ${url})`,
  'a polluted prototype': `(async () => {
    Object.prototype.integrity = ${evilIntegrity}
    try { return await fetch(${url}, {}) } finally { delete Object.prototype.integrity }
  })()`,
  signedFetch: `signedFetch(${url}, { integrity: ${evilIntegrity} })`,
  signedURL: `signedURL(${url}).then(fetch)`,
}

attack(
  65,
  'WebAssembly as code asks for it',
  { engines: 'all', variants: Object.keys(calls), turnTo },
  async (page, _, name) => {
    site.reply(wasmPath, asWasm({ body: wasm(evil) }))
    await openApp(page, site)
    const refused = `ERR_SIGNEDIMP_CHANGED ${wasmPath}`
    assert.is(await ask(page, `answer(${calls[name]!})`), refused)
    assert.equal(await heardOf(page, 1), [refused])
    site.reset()
    assert.is(await ask(page, `answer(${calls[name]!})`), good)
    return 'refused ERR_SIGNEDIMP_CHANGED'
  },
)

/** What no browser can check. */
const unchecked: Record<string, string> = {
  'a part': `fetch(${url}, { headers: { range: 'bytes=0-7' } })`,
  XMLHttpRequest: `new Promise((settle, reject) => {
    const request = new XMLHttpRequest()
    request.open('Get', ${url})
    request.responseType = 'arraybuffer'
    request.onload = () => settle(new Response(request.response))
    request.send()
  })`,
}

attack(
  65,
  'WebAssembly where nobody could check it',
  { engines: 'all', variants: Object.keys(unchecked), turnTo },
  async (page, _, name) => {
    site.reply(wasmPath, asWasm({ body: wasm(evil) }))
    await openApp(page, site)
    const refused = `ERR_SIGNEDIMP_NOT_ENFORCEABLE ${wasmPath}`
    assert.is(await ask(page, `answer(${unchecked[name]!})`), refused)
    assert.equal(await heardOf(page, 1), [refused])
    assert.is(site.requests.filter(({ path }) => path === wasmPath).length, 0)
    return 'refused ERR_SIGNEDIMP_NOT_ENFORCEABLE'
  },
)

attack(
  53,
  'a fetch that a script of the page has put there',
  { engines: 'all', turnTo },
  async (page) => {
    const html = await (await fetch(site.url)).text()
    const script = `<script>
    globalThis.seen = []
    {
      const { fetch } = globalThis
      globalThis.fetch = (input) => (seen.push(input.url ?? input), fetch(input.url ?? input))
    }
  </script>`
    site.reply('index.html', {
      type: 'text/html',
      body: html.replace('</head>', `${script}</head>`),
    })
    site.reply(wasmPath, asWasm({ body: wasm(evil) }))
    await openApp(page, site)
    const refused = `ERR_SIGNEDIMP_CHANGED ${wasmPath}`
    assert.is(await ask(page, `answer(fetch(${url}))`), refused)
    assert.is(await ask(page, `(await fetch('/no')).status`), 404)
    assert.equal(await page.evaluate('seen'), ['/no'])
    return 'refused ERR_SIGNEDIMP_CHANGED'
  },
)

attack(65, 'a text with two faces', { engines: 'all', turnTo }, async (page) => {
  site.reply(wasmPath, asWasm({ body: wasm(evil) }))
  await openApp(page, site)
  const text = `{ toString: () => (globalThis.asked = (globalThis.asked ?? 0) + 1) > 1 ? ${url} : '/no' }`
  assert.is(await ask(page, `(await fetch(${text})).url.slice(-3)`), '/no')
  assert.is(await page.evaluate('asked'), 1)
  return 'ok it was asked for once'
})

attack(
  65,
  'WebAssembly that the page had the browser load before',
  { engines: 'all', turnTo },
  async (page) => {
    const html = await (await fetch(site.url)).text()
    const link = `<link rel="preload" as="fetch" crossorigin href=${url}>`
    site.reply('index.html', { type: 'text/html', body: html.replace('<title>', link + '<title>') })
    site.reply(wasmPath, (request) =>
      asWasm({ body: wasm(request ? good : evil), headers: { 'cache-control': 'max-age=60' } }),
    )
    await openApp(page, site)
    const said = await ask(page, `answer(fetch(${url}))`)
    // Chromium and Firefox may ask again, as they do for scripts.
    assert.ok(
      [good, `ERR_SIGNEDIMP_REFUSED ${wasmPath}`, `ERR_SIGNEDIMP_CHANGED ${wasmPath}`].includes(
        said as number,
      ),
      String(said),
    )
    return said === good ? 'ok asked again' : `refused ${String(said).split(' ')[0]}`
  },
)

attack(
  65,
  'bytes that code of the page gets from where nothing is signed',
  { engines: 'all', turnTo },
  async (page: Page) => {
    await openApp(page, site)
    assert.is(await ask(page, `answer(fetch('${other.url}evil.wasm'))`), evil)
    assert.is(await ask(page, `answer(fetch('${other.url}good.wasm'))`), good)
    const refused = `ERR_SIGNEDIMP_UNLISTED ${other.url}good.wasm`
    assert.is(await ask(page, `answer(signedFetch('${other.url}good.wasm'))`), refused)
    return 'documented limit: what signed code makes of other bytes is its own doing'
  },
)

attacks.run()
