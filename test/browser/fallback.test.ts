import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import {
  appBundlers,
  appFiles,
  buildSigned,
  pageManifestOf,
  serveApp,
  type TestSite,
} from '../support/app.ts'
import { engines, inEngines, takingTurns, type Page } from '../support/browsers.ts'
import { look, starts } from '../support/visit.ts'

// What a reader sees of a page whose bootstrap does not run.

const text = 'Grüße: <b>neu laden</b> & warten'
const own = '<p id="signedimp" hidden>Our own words.</p>'
const folders: Record<string, string> = {}

test.before(async () => {
  const key = await generateKey('ed25519')
  for (const bundler of appBundlers)
    folders[bundler] = await buildSigned(key, { bundler, signed: { fallback: true } })
  folders.linked = await buildSigned(key, { signed: { fallback: text, inline: false } })
  const html = appFiles['index.html']!.replace('<body>', `<body>${own}`)
  folders.own = await buildSigned(key, {
    files: { 'index.html': html },
    signed: { fallback: true },
  })
  folders.without = await buildSigned(key)
})

async function within(kind: string, body: (site: TestSite, folder: string) => Promise<void>) {
  const folder = folders[kind]!
  const site = await serveApp(folder)
  try {
    await body(site, folder)
  } finally {
    await site.close()
  }
}

/** What of the fallback is in sight, or undefined where there is none. */
const seen = (page: Page): Promise<string | undefined> =>
  page.evaluate(() => {
    const paragraph = document.querySelector('#signedimp p')
    if (!paragraph) return undefined
    const { top, left, width, height } = paragraph.getBoundingClientRect()
    const isInSight = top >= 0 && left >= 0 && width > 100 && height > 10
    return isInSight ? paragraph.textContent! : ''
  })

const wait = (page: Page, ms: number) =>
  page.evaluate((time) => new Promise((settle) => setTimeout(() => settle(1), time)), ms)

const standard = 'This page could not be started. Reload it, or try a newer browser.'

/** Policies that block an inline bootstrap; some forbid styles, too. */
const blocking = ["script-src 'self'", "default-src 'none'"]

/** Serves the page with a clock that is faster, so that nobody has to wait. */
function hurry(site: TestSite, folder: string, headers: Record<string, string> = {}): void {
  const html = readFileSync(join(folder, 'index.html'), 'utf8')
  const body = html.replace(' begin="8s"', ' begin="1s"')
  assert.is.not(body, html)
  site.reply('index.html', { type: 'text/html; charset=utf-8', headers, body })
}

async function appears(page: Page, url: string, words: string, ms: number): Promise<void> {
  await page.goto(url)
  assert.is(await seen(page), '')
  await wait(page, ms)
  assert.is(await seen(page), words)
  const isShort = () => document.documentElement.scrollHeight <= globalThis.innerHeight
  assert.ok(await page.evaluate(isShort))
}

for (const bundler of appBundlers)
  blocking.forEach((policy, row) => {
    const appearsThere = (page: Page) =>
      within(bundler, async (site, folder) => {
        hurry(site, folder, { 'content-security-policy': policy })
        await appears(page, site.url, standard, 1500)
      })
    inEngines(test, `${bundler}, under ${policy}`, appearsThere, {
      engines: bundler === 'vite' ? engines : takingTurns(row),
    })
  })

for (const way of ['missing', 'changed'] as const)
  inEngines(test, `the linked bootstrap is ${way}`, (page) =>
    within('linked', async (site, folder) => {
      const file = readdirSync(folder).find((name) => /^signedimp-\w{16}\.js$/.test(name))!
      site.tamper(file, way)
      hurry(site, folder)
      await appears(page, site.url, text, 1500)
    }),
  )

const slowly = (page: Page) =>
  within('linked', async (site, folder) => {
    const file = readdirSync(folder).find((name) => /^signedimp-\w{16}\.js$/.test(name))!
    site.tamper(file, 'missing')
    await page.goto(site.url)
    await wait(page, 6000)
    assert.is(await seen(page), '')
    await wait(page, 2500)
    assert.is(await seen(page), text)
  })
inEngines(test, 'it takes eight seconds', slowly, { engines: ['firefox'] })

for (const [row, kind] of ['vite', 'esbuild', 'linked', 'own'].entries()) {
  const hasNone = (page: Page) =>
    within(kind, async (site) => {
      await starts(page, site)
      assert.is(await page.evaluate(() => document.getElementById('signedimp')), null)
    })
  inEngines(test, `a page that starts has none: ${kind}`, hasNone, {
    engines: kind === 'vite' ? engines : takingTurns(row),
  })
}

inEngines(test, 'a page that refuses says itself why, and has none', (page) =>
  within('vite', async (site, folder) => {
    site.tamper(pageManifestOf(folder), 'missing')
    await page.goto(site.url)
    assert.match((await look(page)).alert, /^ERR_SIGNEDIMP_MISSING /)
    assert.is(await seen(page), undefined)
  }),
)

inEngines(test, 'it is gone while the page still loads', (page) =>
  within('vite', async (site, folder) => {
    site.tamper(pageManifestOf(folder), 'slow', '3000')
    void page.goto(site.url)
    await page.waitFor(() => document.readyState !== 'loading' && document.title === 'App')
    assert.is(await seen(page), undefined)
    assert.is(await page.evaluate(() => 'app' in globalThis), false)
    await look(page)
  }),
)

test('the build adds one where it is asked for, and the page has none of its own', () => {
  const count = (kind: string) =>
    readFileSync(join(folders[kind]!, 'index.html'), 'utf8').split(' id="signedimp"').length - 1
  assert.equal(['vite', 'esbuild', 'linked', 'own', 'without'].map(count), [1, 1, 1, 1, 0])
  const html = readFileSync(join(folders.own!, 'index.html'), 'utf8')
  assert.ok(html.includes(own))
  assert.not.match(
    readFileSync(join(folders.linked!, 'index.html'), 'utf8'),
    /[^\t\n\ufeff -~]|<b>/,
  )
})

test.run()
