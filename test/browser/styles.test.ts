import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { serveApp, type TestSite } from '../support/app.ts'
import { engines, inEngines, takingTurns, type Page } from '../support/browsers.ts'
import {
  buildStyles,
  evilStyle,
  heardOf,
  lookAt,
  openRoute,
  viteNames,
  type ViteName,
} from '../support/styles-app.ts'

// Stylesheets that chunks load later, in all versions of Vite: as before where they are as signed, else not at all.

/** The app as Vite builds it, and signed. */
interface Sites {
  plain: TestSite
  signed: TestSite
}

const sites = {} as Record<ViteName, Sites>

test.before(async () => {
  const key = await generateKey('ecdsa-p256')
  for (const vite of viteNames) {
    const serve = async (folder: string) =>
      serveApp(folder, { handle: (_, __, path) => delay(path) })
    const plain = await serve(await buildStyles(undefined, { vite }))
    sites[vite] = { plain, signed: await serve(await buildStyles(key, { vite })) }
  }
})

test.after(async () => {
  for (const { plain, signed } of Object.values(sites))
    for (const site of [plain, signed]) await site.close()
})

/** The sheet that stands before another one comes after it. */
async function delay(path: string): Promise<boolean> {
  if (path.endsWith('shared.css')) await sleep(200)
  return false
}

/** Opens all chunks, some of them again. */
async function visit(page: Page, site: TestSite) {
  site.reset()
  await page.goto(site.url)
  await page.waitFor(() => 'app' in globalThis)
  assert.is(await openRoute(page, 'a'), 'a')
  const first = await lookAt(page)
  for (const route of ['b', 'c', 'a'] as const) assert.is(await openRoute(page, route), route)
  const requests = site.requests.map(({ path }) => path).filter((path) => path.endsWith('.css'))
  assert.equal(await heardOf(page, 0), [])
  return { first, last: await lookAt(page), requests: requests.sort() }
}

for (const [row, vite] of viteNames.entries()) {
  inEngines(
    test,
    `${vite}: signed stylesheets apply, once, in the order of an unsigned build`,
    async (page) => {
      const before = await visit(page, sites[vite].plain)
      const after = await visit(page, sites[vite].signed)
      assert.equal(after, before)
      const { first, requests } = after
      assert.equal(
        { ...first.values, last: '' },
        { look: 'signed', shared: 'signed', a: 'signed', last: '' },
      )
      assert.is(first.values['last'], first.sheets.at(-1)!.replace('.css', ''))
      assert.equal(
        requests,
        ['a', 'b', 'look', 'shared'].map((name) => `assets/${name}.css`),
      )
      const unchecked = await page.evaluate(
        () => document.querySelectorAll('link[rel=stylesheet]:not([integrity])').length,
      )
      assert.is(unchecked, 0)
    },
    { engines: vite === 'vite' ? engines : takingTurns(row) },
  )

  inEngines(test, `${vite}: a changed stylesheet does not apply`, async (page) => {
    const site = sites[vite].signed
    site.reset()
    site.reply('assets/a.css', { type: 'text/css', body: evilStyle })
    await page.goto(site.url)
    await page.waitFor(() => 'app' in globalThis)
    assert.is(await openRoute(page, 'a'), `Unable to preload CSS for ${cssOf(site, vite)}`)
    assert.equal((await heardOf(page, 2)).sort(), [
      'ERR_SIGNEDIMP_CHANGED assets/a.css',
      `vite:preloadError Unable to preload CSS for ${cssOf(site, vite)}`,
    ])
    assert.is(await openRoute(page, 'b'), 'b')
    const { values } = await lookAt(page)
    assert.equal(Object.keys(values), ['look', 'shared', 'b', 'last'])
    const ran = await page.evaluate(() => (globalThis as never as { ran: string[] }).ran)
    assert.equal(ran, ['b'])
    // Vite's helper asks for a stylesheet once, as where it is missing in an unsigned build.
    assert.is(await openRoute(page, 'a'), 'a')
    const { values: again } = await lookAt(page)
    assert.equal(Object.keys(again), ['look', 'shared', 'b', 'last'])
    assert.is((await heardOf(page, 2)).length, 2)
  })
}

inEngines(test, "stylesheets are asked for as the page's own tags would", async (page) => {
  const { signed } = sites.vite
  signed.reset()
  const html = await (await fetch(signed.url)).text()
  const body = html.replace('data-entry=', 'data-credentials="include" data-entry=')
  assert.is.not(body, html)
  signed.reply('hand.html', { type: 'text/html', body })
  for (const [path, mode] of [
    ['', 'anonymous'],
    ['hand.html', 'use-credentials'],
  ]) {
    await page.goto(signed.url + path)
    await page.waitFor(() => 'app' in globalThis)
    assert.is(await openRoute(page, 'a'), 'a')
    const found = await page.evaluate(
      () => document.querySelector<HTMLLinkElement>('link[href$="/a.css"]')!.crossOrigin,
    )
    assert.is(found, mode)
  }
})

/** Vite 8 names it by its URL. */
const cssOf = ({ url }: TestSite, vite: ViteName): string =>
  vite === 'vite' ? `${url}assets/a.css` : '/assets/a.css'

test.run()
