import type { KeyObject } from 'node:crypto'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { publicKeyPem, toTrustedKey } from '../../src/keys/public.ts'
import { generateKey } from '../../src/keys/generate.ts'
import type { SignedImpOptions } from '../../src/plugin/options.ts'
import { buildSigned, deploy, pageManifestOf, serveApp, type TestSite } from '../support/app.ts'
import { buildBackend, writePage } from '../support/backend-app.ts'
import { engines, inEngines, type EngineName, type Page } from '../support/browsers.ts'
import { buildEntries, tagOf, visitEntry } from '../support/entry-app.ts'
import { hashedNames } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import { lazy } from '../support/readme-app.ts'
import { settled, within } from '../support/reports.ts'
import { glance, look, open, refuses, starts } from '../support/visit.ts'

// Pages that remember the highest build, and are given older ones: each validly signed, with HTML and chunks of its own.

const rollback = 'ERR_SIGNEDIMP_ROLLBACK'
const key = await generateKey('ed25519')
const other = await generateKey('ecdsa-p256')
const pem = (of: KeyObject) => publicKeyPem(toTrustedKey(of))

const made = new Map<string, () => Promise<string>>()

/** A release of the app, made once. */
function release(build: number, signed: SignedImpOptions = {}, by: KeyObject = key) {
  const id = JSON.stringify([build, signed, pem(by)])
  const options = { name: 'shop', remember: true, build, ...signed } as const
  const make = made.get(id) ?? lazy(() => buildSigned(by, { signed: options, config: hashedNames }))
  made.set(id, make)
  return make()
}

let site: TestSite

test.before(async () => {
  site = await serveApp(await release(41))
})

test.after(() => site.close())

/** Puts a release on the host, and visits it: it starts. */
async function accepts(page: Page, folder: Promise<string>): Promise<void> {
  deploy(site, await folder)
  await starts(page, site)
}

/** The same, and it refuses before anything of the app has run. */
async function rejects(page: Page, folder: Promise<string>, code = rollback): Promise<string> {
  deploy(site, await folder)
  await refuses(page, site, code)
  return (await glance(page)).alert
}

/** One way in each engine, and each where `SIGNEDIMP_FULL` is set: what carries the bootstrap is the same code. */
const forms: [string, SignedImpOptions, readonly EngineName[]][] = [
  ['inline', {}, engines],
  ['linked', { inline: false }, ['firefox']],
  ['with the manifest inlined', { inline: 'all' }, ['webkit']],
  ['for policies of hosts', { policy: 'self' }, ['chromium']],
]

for (const [how, signed, where] of forms)
  inEngines(
    test,
    `${how}: an older build is refused after a newer one, the same and newer ones start`,
    async (page) => {
      await accepts(page, release(41, signed))
      await accepts(page, release(42, signed))
      assert.is(
        await rejects(page, release(41, signed)),
        `${rollback} build 41 < 42, seen before; reload`,
      )
      await accepts(page, release(42, signed))
      await accepts(page, release(43, signed))
    },
    { engines: process.env.SIGNEDIMP_FULL ? engines : where },
  )

inEngines(
  test,
  'cleared storage knows nothing, and a page without the option neither',
  async (page) => {
    await accepts(page, release(42))
    await accepts(page, release(41, { remember: false }))
    await rejects(page, release(41))
    await page.evaluate(() => localStorage.clear())
    await accepts(page, release(41))
  },
)

inEngines(test, 'a private window begins without a memory', async (page, engine) => {
  await accepts(page, release(42))
  // As private windows do, it has storage of its own, which is empty.
  const apart = await engine.open()
  try {
    await accepts(apart, release(41))
    await rejects(page, release(41))
  } finally {
    await apart.close()
  }
})

inEngines(test, 'another name and another key know nothing of it', async (page) => {
  await accepts(page, release(42))
  await accepts(page, release(41, { name: 'shop/staging' }))
  await accepts(page, release(41, {}, other))
  await rejects(page, release(41))
})

inEngines(test, 'the highest build of all, and the way out: another key', async (page) => {
  await accepts(page, release(Number.MAX_SAFE_INTEGER))
  await rejects(page, release(43))
  // As long as the page trusts the old key, too, what that has signed counts.
  await rejects(page, release(43, { keys: [pem(key)] }, other))
  await accepts(page, release(43, {}, other))
  await rejects(page, release(42, {}, other))
})

inEngines(test, 'two folders of an origin know nothing of one another', async (page) => {
  const folder = scratchFolder()
  for (const [name, build] of [
    ['one', 42],
    ['two', 41],
  ] as const) {
    const signed = { name: 'shop', remember: true, build }
    cpSync(await buildSigned(key, { base: `/${name}/`, signed }), join(folder, name), {
      recursive: true,
    })
  }
  const both = await serveApp(folder)
  try {
    for (const name of ['one', 'two', 'one']) {
      await page.goto(`${both.url}${name}/`)
      assert.is((await look(page)).alert, '')
    }
  } finally {
    await both.close()
  }
})

inEngines(
  test,
  'pages at the same time: the higher build stays, and the lower one goes on',
  async (page) => {
    const [older, newer] = [await release(41), await release(42)]
    deploy(site, newer)
    const name = pageManifestOf(older)
    site.reply(name, { body: readFileSync(join(older, name)) })
    const html = readFileSync(join(older, 'index.html'))
    site.reply('older.html', { type: 'text/html; charset=utf-8', body: html })
    site.reply('frames.html', { type: 'text/html', body: '<!doctype html>' })
    await page.goto(`${site.url}frames.html`)
    const runs = await page.evaluate(async () => {
      const frames = ['older.html', '', 'older.html', ''].map((src) => {
        const frame = document.createElement('iframe')
        frame.src = `/${src}`
        document.body.append(frame)
        return frame
      })
      const isOver = ({ contentWindow: view }: HTMLIFrameElement) =>
        view !== null && ('app' in view || view.document.querySelector('[role=alert]') !== null)
      while (!frames.every(isOver)) await new Promise((settle) => setTimeout(settle, 20))
      type App = { app: { solo(): Promise<{ text: string }> } }
      const started = frames.filter((frame) => 'app' in frame.contentWindow!)
      const views = started.map((frame) => frame.contentWindow as unknown as App)
      return Promise.all(views.map(({ app }) => app.solo().then(({ text }) => text)))
    })
    // Of the older ones, those that were first may have started: what runs goes on.
    assert.ok(runs.length >= 2)
    assert.ok(runs.every((text) => text === 'solo'))
    await rejects(page, release(41))
    await accepts(page, release(42))
  },
)

inEngines(
  test,
  'a page that is open goes on when another tab starts a newer build',
  async (page) => {
    await accepts(page, release(41))
    await page.evaluate(() => {
      const note = Object.keys(localStorage).find((name) => name.startsWith('signedimp '))!
      localStorage.setItem(note.replace(/\d+$/, '42'), '')
    })
    assert.is(await open(page, 'a'), 'a café')
    await rejects(page, release(41))
  },
)

inEngines(test, 'a build that is signed and not out does not count as seen', async (page) => {
  await accepts(page, release(41))
  const [now, next] = [await release(41), await release(44)]
  site.reply(pageManifestOf(now), { body: readFileSync(join(next, pageManifestOf(next))) })
  await refuses(page, site, 'ERR_SIGNEDIMP_MANIFEST_INVALID')
  await accepts(page, release(41))
})

// Where there is no storage: by the page's own headers, or because it is full.

const sandbox = { 'content-security-policy': 'sandbox allow-scripts' }

/** A page that has no storage, before anything else of it runs. */
const withoutStorage = `<script>Object.defineProperty(self, 'localStorage', { get() { throw new Error('SecurityError') } })</script>`

async function bare(folder: string): Promise<string> {
  return readFileSync(join(folder, 'index.html'), 'utf8').replace(
    '<head>',
    `<head>${withoutStorage}`,
  )
}

inEngines(test, 'without storage nothing starts, unless that was chosen', async (page) => {
  for (const remember of [true, 'if-possible'] as const) {
    const folder = await release(41, { remember })
    deploy(site, folder)
    site.reply('index.html', { type: 'text/html; charset=utf-8', body: await bare(folder) })
    if (remember === true) await refuses(page, site, 'ERR_SIGNEDIMP_NOT_ENFORCEABLE')
    else await starts(page, site)
  }
})

inEngines(test, 'in a sandbox, where a page has no origin, neither', async (page) => {
  const headers = (path: string) => (/^$|html$/.test(path) ? sandbox : {})
  const place = await serveApp(await release(41), { cors: true, headers: headers as never })
  try {
    await refuses(page, place, 'ERR_SIGNEDIMP_NOT_ENFORCEABLE')
    assert.match((await glance(page)).alert, 'no storage (remember: true)')
  } finally {
    await place.close()
  }
})

inEngines(test, 'where the choice was made, what is there counts all the same', async (page) => {
  await accepts(page, release(42, { remember: 'if-possible' }))
  await rejects(page, release(41, { remember: 'if-possible' }))
})

inEngines(
  test,
  'full storage: what is noted starts, what could not be noted does not',
  async (page) => {
    await accepts(page, release(41))
    await page.evaluate(() => {
      let size = 1 << 22
      for (let at = 0; size > 0; at++) {
        try {
          localStorage.setItem(`filler ${at}`, 'x'.repeat(size))
        } catch {
          size >>= 1
        }
      }
    })
    await accepts(page, release(41))
    const alert = await rejects(page, release(42), 'ERR_SIGNEDIMP_NOT_ENFORCEABLE')
    assert.match(alert, 'no storage')
    await page.evaluate(() => localStorage.clear())
    await accepts(page, release(42))
  },
)

// Entries without HTML, pages of a backend, and pages that refuse nothing.

const entries = new Map(
  [41, 42].map((build) => [
    build,
    lazy(() => buildEntries(key, { signed: { name: 'shop', build, remember: true } })),
  ]),
)

inEngines(test, 'an entry of an older build is refused after a newer one', async (page) => {
  const visit = async (build: number) => {
    deploy(site, await entries.get(build)!())
    await visitEntry(page, site, tagOf('main.js'))
    return page.evaluate(() => (globalThis as never as { refusals: string[] }).refusals)
  }
  assert.equal(await visit(41), [])
  assert.equal(await visit(42), [])
  assert.equal(await visit(41), [`${rollback} undefined`])
  assert.not.ok(await page.evaluate("'app' in globalThis"))
})

inEngines(
  test,
  'a page that a backend writes is refused likewise',
  async (page) => {
    const visit = async (build: number) => {
      const folder = await buildBackend('vite', { build, remember: true }, key)
      deploy(site, folder)
      site.reply('index.html', writePage(folder))
      await page.goto(site.url)
      return (await look(page)).alert.split(' ')[0]
    }
    assert.equal([await visit(42), await visit(41), await visit(43)], ['', rollback, ''])
  },
  { engines: ['chromium'] },
)

inEngines(test, 'a report-only page tells of it, and goes on', async (page) => {
  const watching = { mode: 'report-only', reportTo: '/report' } as const
  await within(await release(42, watching), async (pages, reports) => {
    await starts(page, pages)
    assert.equal(await settled(page, reports, 0), [])
    deploy(pages, await release(41, watching))
    await starts(page, pages)
    const told = (await settled(page, reports, 1)) as { code: string; reason: string }[]
    assert.equal(
      told.map(({ code, reason }) => [code, reason]),
      [[rollback, 'build 41 < 42, seen before; reload']],
    )
  })
})

test.run()
