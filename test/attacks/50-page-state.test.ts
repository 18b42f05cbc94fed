import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { evil } from '../../playground/tamper.ts'
import { generateKey } from '../../src/keys/generate.ts'
import { chunkOf, pageManifestOf, type AppBundler, type TestSite } from '../support/app.ts'
import { attack, attacks } from '../support/attack.ts'
import { edited } from '../support/forge.ts'
import { serveApps } from '../support/served-apps.ts'
import { glance, look, open, refusesChunk, starts } from '../support/visit.ts'

// What a page may already hold: cached files, failed imports, other people's globals: 50-55.

let folder: string
let site: TestSite

let shared: string

const apps = serveApps(await generateKey('ed25519'))

function turnTo(bundler: AppBundler) {
  ;[folder, site] = apps[bundler]
  shared = chunkOf(folder, 'shared')
}

const all = { engines: 'all', turnTo } as const
const file = 'assets/a.js'
const changed = 'ERR_SIGNEDIMP_CHANGED assets/a.js'
const honest = (path: string) => readFileSync(join(folder, path))
const forever = { 'cache-control': 'public, max-age=31536000' }

/** Serves the page with a script in front of the bootstrap. */
function replyWith(head: string) {
  const html = honest('index.html').toString()
  const body = html.replace('<head>', `<head>${head}`)
  assert.is.not(body, html)
  site.reply('index.html', { type: 'text/html; charset=utf-8', body })
}

attack(50, 'altered copy in the cache', all, async (page) => {
  site.reset()
  const altered = { headers: forever, body: evil(honest(file), file) }
  site.reply(file, (request) => (request === 0 ? altered : undefined))
  await page.goto(site.url)
  const size = await page.evaluate(
    (path) => fetch(path).then(async (answer) => (await answer.text()).length),
    `/${file}`,
  )
  assert.is(size, altered.body.toString().replace('\ufeff', '').length)
  await starts(page, site)
  const said = await open(page, 'a')
  assert.is((await glance(page)).evil, 0)
  // An engine may ask again, as the page's own import is another request than that fetch.
  assert.ok(['a café', 'ERR_SIGNEDIMP_REFUSED assets/a.js', changed].includes(said), said)
  return said === 'a café' ? 'ok only the signed bytes ran' : `refused ${said.split(' ')[0]}`
})

attack(50, 'copy that is altered after the first visit', all, async (page) => {
  site.reset()
  site.reply(file, { headers: forever })
  await starts(page, site)
  assert.is(await open(page, 'a'), 'a café')
  site.reply(file, { headers: forever, body: evil(honest(file), file) })
  await starts(page, site)
  const said = await open(page, 'a')
  assert.is((await glance(page)).evil, 0)
  assert.ok(['a café', changed].includes(said), said)
  return said === 'a café' ? 'ok only the signed bytes ran' : `refused ${said.split(' ')[0]}`
})

attack(51, 'many imports at once', all, async (page) => {
  site.reset()
  site.tamper(pageManifestOf(folder), 'slow', '200')
  site.tamper(shared, 'slow', '200')
  await starts(page, site)
  const same = await page.evaluate(
    `Promise.all([app.a(), app.b(), app.a(), app.any('./a.js')]).then(([a, , again, any]) => a === again && a === any)`,
  )
  assert.is(same, true)
  assert.equal((await glance(page)).ran.sort(), ['a', 'b', 'dep', 'index', 'shared'])
  return 'ok each module runs once'
})

attack(51, 'many imports of an altered chunk at once', all, async (page) => {
  site.reset()
  site.tamper(shared, 'changed')
  await starts(page, site)
  const codes = await page.evaluate(
    `Promise.all([app.a(), app.b(), app.a()].map((opened) => opened.catch(({ code, path }) => code + ' ' + path)))`,
  )
  assert.equal(codes, Array(3).fill(`ERR_SIGNEDIMP_CHANGED ${shared}`))
  assert.is((await glance(page)).evil, 0)
  return 'refused ERR_SIGNEDIMP_CHANGED'
})

attack(
  51,
  'retry',
  { ...all, variants: ['still altered', 'honest by now'] },
  async (page, _, variant) => {
    site.reset()
    site.tamper(file, 'changed')
    await starts(page, site)
    assert.is(await open(page, 'a'), changed)
    if (variant === 'honest by now') site.tamper(file, undefined)
    const again = await open(page, 'a')
    assert.is((await glance(page)).evil, 0)
    // Firefox remembers for good that a module was refused; it is then linked in memory.
    assert.is(again, variant === 'still altered' ? changed : 'a café')
    return again === 'a café'
      ? 'ok it is fetched and checked again'
      : `refused ${again.split(' ')[0]}`
  },
)

const evilRegistry = `{ import: () => { globalThis.__evil = 1; return { text: 'evil' } }, meta: () => ({}), manifest: {} }`
const registries: Record<string, [head: string, code?: string]> = {
  'assigned before': [`<script>globalThis.__signedimp = ${evilRegistry}</script>`],
  'frozen before': [
    `<script>Object.defineProperty(globalThis, '__signedimp', { value: ${evilRegistry} })</script>`,
    'ERR_SIGNEDIMP_NOT_ENFORCEABLE',
  ],
  'getter before': [
    `<script>Object.defineProperty(globalThis, '__signedimp', { get: () => (${evilRegistry}) })</script>`,
    'ERR_SIGNEDIMP_NOT_ENFORCEABLE',
  ],
  'element of that name': [`<a id="__signedimp"></a><form name="__signedimp"></form>`],
}

attack(
  52,
  'the registry',
  { ...all, variants: Object.keys(registries) },
  async (page, _, variant) => {
    const [head, code] = registries[variant]!
    site.reset()
    replyWith(head)
    site.tamper(file, 'changed')
    await page.goto(site.url)
    const { alert, ran } = await look(page)
    if (code) {
      assert.is(alert.split(' ')[0], code)
      assert.equal([ran, (await glance(page)).evil], [[], 0])
      return `refused ${code}`
    }
    return refusesChunk(page, 'a', 'ERR_SIGNEDIMP_CHANGED')
  },
)

attack(52, 'the registry, replaced later', all, async (page) => {
  site.reset()
  site.tamper(file, 'changed')
  await starts(page, site)
  await page.evaluate((value) => {
    const attempts = [
      `globalThis.__signedimp = ${value}`,
      `delete globalThis.__signedimp`,
      `Object.defineProperty(globalThis, '__signedimp', { value: ${value} })`,
      `__signedimp.import = (${value}).import`,
      `Object.defineProperty(__signedimp, 'import', { value: (${value}).import })`,
      `Object.setPrototypeOf(__signedimp, ${value})`,
    ]
    for (const attempt of attempts)
      try {
        new Function(attempt)()
      } catch {
        // In strict mode it throws, else it does nothing.
      }
  }, evilRegistry)
  return refusesChunk(page, 'a', 'ERR_SIGNEDIMP_CHANGED')
})

/** What code that runs in the page can break, or make lie, after the start. */
const patches: Record<string, string> = {
  'crypto.subtle': `SubtleCrypto.prototype.digest = async () => new ArrayBuffer(32); SubtleCrypto.prototype.verify = async () => true`,
  fetch: `globalThis.fetch = async () => new Response('')`,
  'Response.prototype': `Response.prototype.arrayBuffer = async () => new ArrayBuffer(0); Object.defineProperty(Response.prototype, 'ok', { get: () => true })`,
  'TextDecoder and TextEncoder': `TextDecoder.prototype.decode = () => ''; TextEncoder.prototype.encode = () => new Uint8Array()`,
  URL: `globalThis.URL = class { href = '${'/unlisted.js'}' }`,
  'Map.prototype and Set.prototype': `Map.prototype.get = () => 'assets/a.js'; Map.prototype.has = Set.prototype.has = () => true`,
  'Promise.prototype.then': `{ const then = Promise.prototype.then; Promise.prototype.then = function (f) { return then.call(this, f, f) } }`,
  'iterators of arrays': `{ const iterator = Object.getPrototypeOf([][Symbol.iterator]()); const { next } = iterator; iterator.next = () => ({ done: true }); globalThis.restore = () => { iterator.next = next } }`,
  'RegExp.prototype.test': `RegExp.prototype.test = () => true`,
}

attack(
  53,
  'built-ins replaced after the start',
  { ...all, variants: Object.keys(patches) },
  async (page, _, variant) => {
    site.reset()
    site.tamper(file, 'changed')
    site.tamper(shared, 'changed')
    await starts(page, site)
    const said = await page.evaluate(`new Promise((settle) => {
      const end = (text) => {
        globalThis.restore?.()
        settle(text)
      }
      setTimeout(end, 3000, 'nothing')
      ${patches[variant]}
      ;(async () => {
        try {
          await app.a()
          end('ran')
        } catch (error) {
          end(error?.code || 'another error')
        }
      })()
    })`)
    assert.is(await page.evaluate('globalThis.__evil ?? 0'), 0)
    const ran = String(await page.evaluate('ran.join()'))
    assert.is(ran, 'dep,index')
    if (String(said).startsWith('ERR_')) return `refused ${said}`
    return 'ok the browser refuses it, whatever the page makes of that'
  },
)

attack(53, 'built-ins replaced before the bootstrap', all, async (page) => {
  const body = evil(honest(file), file)
  const digest = createHash('sha256').update(body).digest('hex')
  const manifest = edited(honest(pageManifestOf(folder)), (text) =>
    text.replace(/^\w{64}(?= assets\/a\.js$)/m, digest),
  )
  site.reset()
  const blind = 'SubtleCrypto.prototype.verify = async () => String.prototype.includes = () => true'
  replyWith(`<script>${blind}</script>`)
  site.reply(file, { body })
  site.reply(pageManifestOf(folder), { body: manifest })
  await starts(page, site)
  assert.is(await open(page, 'a'), 'a café')
  assert.is((await glance(page)).evil, 1)
  return 'documented limit: a script in front of the bootstrap is part of the trust root'
})

const members = 'integrity hash then get credentials cache method signal value code path name'

attack(
  54,
  'Object.prototype polluted before the bootstrap',
  { ...all, variants: members.split(' ') },
  async (page, _, member) => {
    site.reset()
    replyWith(`<script>Object.prototype.${member} = 'no-cors'</script>`)
    site.tamper(file, 'changed')
    await page.goto(site.url, 3000)
    const { alert, ran } = await look(page)
    if (alert === '') return refusesChunk(page, 'a', 'ERR_SIGNEDIMP_CHANGED')
    assert.equal([ran, (await glance(page)).evil], [[], 0])
    assert.match(alert, /^ERR_SIGNEDIMP_/)
    return `refused ${alert.split(' ')[0]}`
  },
)

/** Everything of ours that code in the page can reach. */
const mutations = {
  'the manifest': `for (const path of [...__signedimp.manifest.files.keys()]) __signedimp.manifest.files.set(path, '0'.repeat(64))
    __signedimp.manifest.files.set('unlisted.js', '0'.repeat(64))
    __signedimp.manifest.files.delete('assets/a.js')
    __signedimp.manifest.imports.clear()`,
  'another import map': `{
    const map = document.createElement('script')
    map.type = 'importmap'
    const url = new URL('/assets/a.js', location.href).href
    const salted = url + __signedimp.salt
    map.textContent = JSON.stringify({ imports: { [url]: '/unlisted.js' }, integrity: { [url]: '', [salted]: '' } })
    document.head.append(map)
  }`,
}

attack(
  55,
  'tables changed after the start',
  { ...all, variants: Object.keys(mutations) },
  async (page, _, variant) => {
    site.reset()
    site.reply('unlisted.js', { body: evil(honest(file), file) })
    site.tamper(file, 'changed')
    await starts(page, site)
    await page.evaluate(`(() => { ${mutations[variant as keyof typeof mutations]} })()`)
    const said = await open(page, 'a')
    const unlisted = await page.evaluate(
      `app.any('/unlisted.js').then(() => 'ran', (error) => error.code)`,
    )
    assert.is(unlisted, 'ERR_SIGNEDIMP_UNLISTED')
    assert.equal([(await glance(page)).evil, said.startsWith('ERR_')], [0, true], said)
    return `refused ${said.split(' ')[0]}`
  },
)

attacks.run()
