import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { serveApp, type TestSite } from '../support/app.ts'
import { inEngines, type Page } from '../support/browsers.ts'
import { handWritten } from '../support/entry-app.ts'
import { addRoot, importNames, openHost, pemOf, serveHost } from '../support/roots.ts'
import {
  buildStyles,
  evilStyle,
  heardOf,
  lookAt,
  noteEvents,
  openRoute,
  stylesApp,
  type ViteName,
} from '../support/styles-app.ts'

// Stylesheets of chunks whose entry no page of the build starts: by a tag of somebody's page, and by a manager.

const vites = ['vite5', 'vite'] as const
const sites = {} as Record<ViteName, TestSite>
let host: TestSite
const key = await generateKey('ecdsa-p256')

const main = 'assets/main.js'

test.before(async () => {
  const { 'index.html': _, ...files } = stylesApp
  for (const vite of vites) {
    const input = { build: { rollupOptions: { input: '/src/main.js' } } }
    const folder = await buildStyles(key, { vite, base: './', config: input }, files)
    sites[vite] = await serveApp(folder, { cors: true })
  }
  host = await serveHost()
})

test.after(async () => {
  for (const site of [host, ...Object.values(sites)]) await site.close()
})

const body = (script: string) => `<p id="probe">probe</p><script>${noteEvents}</script>${script}`

/** Ways to start the entry in a page of somebody else, on another origin. */
const ways = {
  'a tag': async (page: Page, site: TestSite) => {
    host.reply(
      'hand.html',
      handWritten(body(`<script type="module" src="${site.url}${main}"></script>`)),
    )
    await page.goto(`${host.url}hand.html`)
    await page.waitFor('globalThis.app')
  },
  'a manager': async (page: Page, site: TestSite) => {
    host.reply('hand.html', handWritten(body('<script type="module" src="/host.js"></script>')))
    await openHost(page, `${host.url}hand.html`)
    const trust = { name: 'fixture', keys: [pemOf(key)] }
    assert.is(await addRoot(page, site.url, trust), 'ok')
    await importNames(page, site.url + main)
    await page.waitFor('globalThis.app')
  },
}

for (const vite of vites)
  for (const [way, start] of Object.entries(ways)) {
    inEngines(test, `${vite}, started by ${way}: signed stylesheets apply`, async (page) => {
      const site = sites[vite]
      site.reset()
      await start(page, site)
      assert.is(await openRoute(page, 'a'), 'a')
      const { values } = await lookAt(page)
      assert.equal(Object.keys(values), ['shared', 'a', 'last'])
      assert.equal(await heardOf(page, 0), [])
    })

    inEngines(
      test,
      `${vite}, started by ${way}: a changed stylesheet does not apply`,
      async (page) => {
        const site = sites[vite]
        site.reset()
        const headers = { 'access-control-allow-origin': '*' }
        site.reply('assets/a.css', { type: 'text/css', headers, body: evilStyle })
        await start(page, site)
        assert.match(await openRoute(page, 'a'), 'Unable to preload CSS for')
        const heard = await heardOf(page, 2)
        assert.equal(
          heard.filter((text) => !text.startsWith('vite:')),
          ['ERR_SIGNEDIMP_CHANGED assets/a.css'],
        )
        assert.equal(Object.keys((await lookAt(page)).values), ['shared', 'last'])
        assert.is(await openRoute(page, 'b'), 'b')
      },
    )
  }

test.run()
