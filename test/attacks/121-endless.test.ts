import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServerResponse } from 'node:http'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { pageManifestOf, type AppBundler, type TestSite } from '../support/app.ts'
import { attack, attacks } from '../support/attack.ts'
import type { Page } from '../support/browsers.ts'
import { resigned } from '../support/forge.ts'
import { serveApps } from '../support/served-apps.ts'
import { glance, look, open, refuses, starts } from '../support/visit.ts'

// Answers that never end, or hold too much: 121.

let folder: string
let site: TestSite
let name: string

/** The path that is answered without an end, and how. */
let endless: { path: string; from: number; send: (response: ServerResponse) => void } | undefined
let asked = 0

// WebKitGTK's Ed25519 does not survive a text of more than 64 KiB.
const key = await generateKey('ecdsa-p256')
const apps = serveApps(key, { handle })

function handle(_: unknown, response: ServerResponse, path: string) {
  if (path !== endless?.path || asked++ < endless.from) return false
  response.writeHead(200, { 'content-type': 'text/javascript', 'cache-control': 'no-store' })
  endless.send(response)
  return true
}

function turnTo(bundler: AppBundler) {
  ;[folder, site] = apps[bundler]
  name = pageManifestOf(folder)
}

const all = { engines: 'all', turnTo } as const

function reset(path: string, send: (response: ServerResponse) => void, from = 0) {
  site.reset()
  asked = 0
  endless = { path, from, send }
}

/** A byte now and then. */
function dribble(response: ServerResponse) {
  const timer = setInterval(() => response.write(' '), 50)
  response.once('close', () => clearInterval(timer))
}

/** More than a limit allows, and no end: whoever reads on waits for ever. */
const flood = (mebibytes: number) => (response: ServerResponse) =>
  void response.write(Buffer.alloc((mebibytes << 20) + 1, ' '))

/** Makes the page's clock of downloads run fifteen times as fast, and notes what was asked of it. */
const hurry = `<script>{
  const { timeout } = AbortSignal
  globalThis.deadlines = []
  AbortSignal.timeout = (ms) => (deadlines.push(ms), timeout.call(AbortSignal, ms / 15))
}</script>`

function replyHurried() {
  const html = readFileSync(join(folder, 'index.html'), 'utf8')
  const body = html.replace('<head>', `<head>${hurry}`)
  site.reply('index.html', { type: 'text/html; charset=utf-8', body })
}

const sends = { dribbling: dribble, silent: () => {} }

attack(
  121,
  'manifest without an end',
  { ...all, variants: Object.keys(sends) },
  async (page, _, variant) => {
    reset(name, sends[variant as keyof typeof sends])
    replyHurried()
    await page.goto(site.url, 4000)
    const { alert, ran } = await look(page)
    assert.match(alert, /^ERR_SIGNEDIMP_TIMEOUT /)
    assert.equal([ran, await page.evaluate('deadlines')], [[], [30_000]])
    return 'refused ERR_SIGNEDIMP_TIMEOUT'
  },
)

attack(121, 'manifest of too many bytes', all, async (page) => {
  reset(name, flood(8))
  await page.goto(site.url, 4000)
  const { alert, ran } = await look(page)
  assert.match(alert, /^ERR_SIGNEDIMP_NETWORK /)
  assert.equal(ran, [])
  return 'refused ERR_SIGNEDIMP_NETWORK'
})

attack(121, 'manifest of too many lines', all, async (page) => {
  endless = undefined
  site.reset()
  const stored = readFileSync(join(folder, name))
  const lines = Array.from(
    { length: 1 << 16 },
    (_, number) => `${'0'.repeat(64)} z${String(number).padStart(6, '0')}`,
  )
  site.reply(name, { body: await resigned(stored, key, (text) => `${text}\n${lines.join('\n')}`) })
  return refuses(page, site, 'ERR_SIGNEDIMP_MANIFEST_INVALID')
})

attack(
  121,
  'chunk without an end',
  { ...all, variants: Object.keys(sends) },
  async (page, _, variant) => {
    reset('assets/a.js', sends[variant as keyof typeof sends])
    await starts(page, site)
    await page.evaluate("void app.a().then(() => { waited = 'ran' }, () => { waited = 'refused' })")
    assert.is(await open(page, 'solo'), 'solo')
    assert.equal(
      [(await glance(page)).evil, await page.evaluate('globalThis.waited ?? null')],
      [0, null],
    )
    return 'documented limit: the browser waits for a chunk of its own as long as for any script; the rest works'
  },
)

/** The first answer is refused, and the second look at it never ends. */
async function lookTwice(page: Page, send: (response: ServerResponse) => void): Promise<string> {
  reset('assets/solo.js', send, 1)
  site.tamper('assets/solo.js', 'changed')
  replyHurried()
  await starts(page, site)
  const said = await open(page, 'solo')
  assert.is((await glance(page)).evil, 0)
  return said
}

attack(
  121,
  'second look without an end',
  { ...all, variants: Object.keys(sends) },
  async (page, _, variant) => {
    const said = await lookTwice(page, sends[variant as keyof typeof sends])
    assert.is(said, 'ERR_SIGNEDIMP_TIMEOUT assets/solo.js')
    assert.equal(await page.evaluate('[...new Set(deadlines)]'), [30_000])
    return 'refused ERR_SIGNEDIMP_TIMEOUT'
  },
)

attack(121, 'second look at too many bytes', all, async (page) => {
  reset('assets/solo.js', flood(64), 1)
  site.tamper('assets/solo.js', 'changed')
  await starts(page, site)
  assert.is(await open(page, 'solo'), 'ERR_SIGNEDIMP_NETWORK assets/solo.js')
  assert.is((await glance(page)).evil, 0)
  return 'refused ERR_SIGNEDIMP_NETWORK'
})

attacks.run()
