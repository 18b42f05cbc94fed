import type { ServerResponse } from 'node:http'
import * as assert from 'uvu/assert'
import { attack, attacks } from '../support/attack.ts'
import { enforcements, everyRow, nothingEvil, rowOf, serveEnforced } from '../support/enforced.ts'
import type { Engine, Page } from '../support/browsers.ts'
import { poll } from '../support/evaluate.ts'
import { glance, open } from '../support/visit.ts'

// Answers that never end, or hold too much, where no import map checks, and many pages at once: 121, 51. A manifest is
// checked before it is known what checks modules.

/** The path that is answered without an end, from which request on, and how. */
let endless: { path: string; from: number; send: (response: ServerResponse) => void } | undefined
let asked = 0

// WebKitGTK's Ed25519 does not survive a text of more than 64 KiB.
const app = serveEnforced({ algorithm: 'ecdsa-p256', handle })
const file = 'assets/a.js'
const eachLeft = ['blob', 'tags'] as const

function handle(_: unknown, response: ServerResponse, path: string) {
  if (path !== endless?.path || asked++ < endless.from) return false
  response.writeHead(200, { 'content-type': 'text/javascript', 'cache-control': 'no-store' })
  endless.send(response)
  return true
}

attacks.before.each(() => {
  asked = 0
  endless = undefined
})

/** How an answer does not end: a byte now and then, nothing at all, or more than any limit allows. */
const sends: Record<string, (response: ServerResponse) => void> = {
  dribbling: (response) => {
    const timer = setInterval(() => response.write(' '), 50)
    response.once('close', () => clearInterval(timer))
  },
  silent: () => {},
}
const flood = (response: ServerResponse) => void response.write(Buffer.alloc((64 << 20) + 1, ' '))

/** Makes the page's clock of downloads run so fast that nobody has to wait, and notes what was asked of it. */
const script = `{
  const { timeout } = AbortSignal
  globalThis.deadlines = []
  AbortSignal.timeout = (ms) => (deadlines.push(ms), timeout.call(AbortSignal, ms > 60_000 ? 3000 : 2000))
}`

attack(121, 'without a map, chunk without an end', everyRow(sends), async (page, _, variant) => {
  const [left, row] = rowOf(variant)
  endless = { path: file, from: 0, send: sends[row]! }
  assert.is(await app.start(page, left, { script }), '')
  await page.evaluate(
    "void app.a().then(() => { waited = 'ran' }, ({ code }) => { waited = code })",
  )
  await poll(async () => asked > 0, 'the chunk is asked for', 10_000)
  assert.is(await open(page, 'solo'), 'solo')
  // What is fetched has a deadline; for a tag the browser waits as long as for any script.
  if (left === 'blob') await page.waitFor('globalThis.waited')
  const waited = await page.evaluate('globalThis.waited ?? null')
  await nothingEvil(page, 'a')
  assert.is(waited, left === 'blob' ? 'ERR_SIGNEDIMP_TIMEOUT' : null)
  return left === 'blob'
    ? `refused ${waited}`
    : 'documented limit: the browser waits for a chunk of its own as long as for any script; the rest works'
})

attack(
  121,
  'without a map, chunk of too many bytes',
  { engines: 'all', variants: ['blob'] },
  async (page) => {
    endless = { path: file, from: 0, send: flood }
    assert.is(await app.start(page, 'blob'), '')
    assert.is(await open(page, 'a'), `ERR_SIGNEDIMP_NETWORK ${file}`)
    await nothingEvil(page, 'a')
    return 'refused ERR_SIGNEDIMP_NETWORK'
  },
)

attack(
  121,
  'without a map, second look without an end',
  { engines: 'all', variants: eachLeft },
  async (page, _, left) => {
    endless = { path: file, from: 1, send: sends.silent! }
    app.site.tamper(file, 'changed')
    assert.is(await app.start(page, left as 'blob', { script }), '')
    assert.is(await open(page, 'a'), `ERR_SIGNEDIMP_TIMEOUT ${file}`)
    await nothingEvil(page, 'a')
    return 'refused ERR_SIGNEDIMP_TIMEOUT'
  },
)

attack(
  121,
  'server that dies after the start',
  { engines: 'all', variants: enforcements },
  async (page, _, variant) => {
    assert.is(await app.start(page, variant as 'map'), '')
    for (const path of [file, 'assets/shared.js']) app.site.tamper(path, 'dropped')
    assert.match(await open(page, 'a'), /^ERR_SIGNEDIMP_NETWORK assets\/(a|shared)\.js$/)
    assert.is(await open(page, 'solo'), 'solo')
    for (const path of [file, 'assets/shared.js']) app.site.tamper(path, undefined)
    const again = await open(page, 'a')
    // An engine may keep the failure of a tag until the page is loaded again.
    assert.match(again, /^(a café|ERR_SIGNEDIMP_REFUSED .*)$/)
    if (variant !== 'tags') assert.is(again, 'a café')
    await nothingEvil(page)
    return 'refused ERR_SIGNEDIMP_NETWORK'
  },
)

/** Of the pages that are open at once, the one whose chunk is changed. */
const tabs = 10
const changed = 3

async function openTabs(first: Page, engine: Engine): Promise<Page[]> {
  const more = Array.from({ length: tabs - 1 }, () => engine.open())
  return [first, ...(await Promise.all(more))]
}

attack(
  51,
  'ten pages at once, one of which is tampered with',
  { engines: 'all', variants: enforcements },
  async (first, engine, variant) => {
    const pages = await openTabs(first, engine)
    try {
      // Whoever sends this cookie gets altered bytes: each page has cookies of its own.
      const altered = { body: `globalThis.__evil = 1\n${app.honest(file)}` }
      const isVictim = () => /victim/.test(String(app.site.requests.at(-1)!.headers.cookie))
      await Promise.all(pages.map((page) => page.goto(`${app.site.url}assets/solo.js`)))
      await pages[changed]!.evaluate(`document.cookie = 'victim=1; path=/'`)
      app.site.reply(file, () => (isVictim() ? altered : undefined))
      // Ten pages share the cores of one.
      const started = pages.map((page) => app.start(page, variant as 'map', { patience: 60_000 }))
      assert.equal(await Promise.all(started), Array(tabs).fill(''))
      const said = await Promise.all(pages.map((page) => open(page, 'a')))
      const wanted = pages.map((_, at) =>
        at === changed ? `ERR_SIGNEDIMP_CHANGED ${file}` : 'a café',
      )
      assert.equal(said, wanted)
      for (const page of pages) assert.is((await glance(page)).evil, 0)
      return 'refused ERR_SIGNEDIMP_CHANGED'
    } finally {
      await Promise.all(pages.slice(1).map((page) => page.close()))
    }
  },
)

attacks.run()
