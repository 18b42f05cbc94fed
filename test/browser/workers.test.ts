import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { serveApp, type TestSite } from '../support/app.ts'
import { inEngines, type Page } from '../support/browsers.ts'
import { glance, look } from '../support/visit.ts'
import {
  begin,
  buildWorkers,
  buildWorkersByEsbuild,
  keepScripts,
  nest,
  say,
  viteNames,
} from '../support/workers-app.ts'

// Workers are as they were, whoever fetched them: the page before, or they themselves.

const builds = [...viteNames, 'vite iife', 'esbuild'] as const
type Build = (typeof builds)[number]
const sites = {} as Record<Build | 'plain', TestSite>

test.before(async () => {
  const key = await generateKey('ecdsa-p256')
  for (const vite of viteNames) sites[vite] = await serveApp(await buildWorkers(key, { vite }))
  // What workers run by importScripts is a file like others, which `fetch` may be to check.
  const signed = { resources: ['*.js'] }
  sites['vite iife'] = await serveApp(await buildWorkers(key, { format: 'iife', signed }))
  sites.esbuild = await serveApp(await buildWorkersByEsbuild(key))
  sites.plain = await serveApp(await buildWorkers(undefined))
})

test.after(async () => {
  for (const site of Object.values(sites)) await site.close()
})

/** Whether the page fetches workers before they are made, or is kept from it. */
const ways = ['fetched before', 'fetched by itself'] as const
type Way = (typeof ways)[number]

async function open(page: Page, site: TestSite, way: Way = 'fetched before'): Promise<void> {
  site.reset()
  if (way === 'fetched by itself') keepScripts(site)
  await page.goto(site.url)
  assert.is((await look(page)).alert, '')
  await new Promise((settle) => setTimeout(settle, 400))
}

for (const build of builds)
  for (const way of ways)
    inEngines(test, `${build}: workers of every form run, ${way}`, async (page) => {
      const site = sites[build]
      await open(page, site, way)
      assert.is(await begin(page, 'module'), '')
      assert.is(await say(page, 'module', 'hello'), 'module dep café m')
      const asked = site.requests.filter(({ path }) => path === 'assets/module.js')
      assert.is(asked.length, way === 'fetched before' ? 1 : 2)
      const url = `${site.url}assets/module.js`
      assert.is(await say(page, 'module', 'where'), [url, url, url, new URL(url).origin].join(' '))
      if (build !== 'vite iife') {
        assert.is(await say(page, 'module', 'lazy'), 'lazy dep café')
        assert.is(await say(page, 'module', 'again'), 'true')
      }
      assert.is(await nest(page), 'nested hello')
      if (build === 'esbuild') return
      assert.is(
        await say(page, 'module', 'fetch'),
        `data data data ${new URL('/data.txt', url).href}`,
      )
      await begin(page, 'classic')
      assert.is(await say(page, 'classic', 'hello'), 'classic true ?a=1#b')
      assert.is(await say(page, 'classic', 'script'), 'lib /classic.js')
      for (const [name, text] of [
        ['query', 'query x q'],
        ['inline', 'inline x'],
        ['url', 'url x'],
      ]) {
        assert.is(await begin(page, name!), '')
        assert.is(await say(page, name!, 'x'), text)
      }
      assert.equal((await glance(page)).refusals, [])
    })

test.run()
