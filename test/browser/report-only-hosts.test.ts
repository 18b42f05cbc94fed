import { cpSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { SignedImpOptions } from '../../src/plugin/options.ts'
import { generateKey } from '../../src/keys/generate.ts'
import {
  appBundlers,
  buildSigned,
  serveApp,
  type AppBundler,
  type TestSite,
} from '../support/app.ts'
import { inEngines } from '../support/browsers.ts'
import { buildMapApp, farFiles, serveFar } from '../support/map-app.ts'
import { scratchFolder } from '../support/processes.ts'
import { checks, settled, within } from '../support/reports.ts'
import { look, open, openAny } from '../support/visit.ts'

// Report-only pages whose files, or some of whose modules, are on other hosts.

const signed: SignedImpOptions = {
  name: 'shop',
  build: 41,
  reportTo: '/report',
  mode: 'report-only',
}
const key = await generateKey('ed25519')
const chunks = {} as Record<AppBundler, { site: TestSite; folder: string }>
const maps = {} as Record<AppBundler, string>
let far = {} as TestSite

test.before(async () => {
  far = await serveFar()
  for (const bundler of appBundlers) {
    const folder = scratchFolder()
    const site = await serveApp(folder, { cors: true })
    cpSync(await buildSigned(key, { bundler, base: site.url, signed }), folder, { recursive: true })
    chunks[bundler] = { site, folder }
    maps[bundler] = await buildMapApp(key, far.url, { bundler, signed })
  }
})

test.after(async () => {
  await far.close()
  for (const { site } of Object.values(chunks)) await site.close()
})

const codeAndPath = (reports: object[]) =>
  (reports as Record<string, string>[]).map(({ code, path }) => `${code} ${path}`)

for (const bundler of appBundlers) {
  inEngines(test, `${bundler}: chunks on another origin`, (page) =>
    within(chunks[bundler].folder, async (pages, reports) => {
      const { site } = chunks[bundler]
      site.reset()
      site.tamper('assets/a.js', 'changed')
      await page.goto(pages.url)
      assert.is((await look(page)).alert, '')
      for (const name of ['a', 'b'] as const) await open(page, name)
      assert.equal(codeAndPath(await settled(page, reports, 1)), [
        'ERR_SIGNEDIMP_CHANGED assets/a.js',
      ])
    }),
  )

  inEngines(test, `${bundler}: external modules, and names of an import map`, (page) =>
    within(maps[bundler], async (pages, reports) => {
      far.reset()
      const use = async () => {
        await page.goto(pages.url)
        assert.is((await look(page)).alert, '')
        assert.is(await openAny(page, `${far.url}lazy.js`), 'lazy')
      }
      await use()
      await checks(far, 'lazy.js')
      assert.equal(codeAndPath(await settled(page, reports, 0)), [])
      far.reply('lazy.js', { type: 'text/javascript', body: `${farFiles['lazy.js']}//` })
      await use()
      assert.is(await openAny(page, `${far.url}free.js`), 'free')
      assert.equal(codeAndPath(await settled(page, reports, 2)).sort(), [
        `ERR_SIGNEDIMP_CHANGED ${far.url}lazy.js`,
        `ERR_SIGNEDIMP_UNLISTED ${far.url}free.js`,
      ])
    }),
  )
}

test.run()
