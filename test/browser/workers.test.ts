import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { serveApp, type TestSite } from '../support/app.ts'
import { inEngines, type Page } from '../support/browsers.ts'
import { glance, look } from '../support/visit.ts'
import { buildWorkers, eventsOf, say, type ViteName } from '../support/workers-app.ts'

const sites = {} as Record<ViteName, TestSite>

test.before(async () => {
  const key = await generateKey('ecdsa-p256')
  for (const vite of ['vite'] as const)
    sites[vite] = await serveApp(await buildWorkers(key, { vite }))
})

test.after(async () => {
  for (const site of Object.values(sites)) await site.close()
})

const begin = (page: Page, name: string, ...args: unknown[]) =>
  page.evaluate((worker, rest) => void (globalThis as any).start(worker, ...rest), name, args)

for (const vite of ['vite'] as const) {
  inEngines(test, `${vite}: workers of every form run`, async (page) => {
    const site = sites[vite]
    site.reset()
    await page.goto(site.url)
    assert.is((await look(page)).alert, '')
    await begin(page, 'module', { name: 'm' })
    assert.equal(await say(page, 'module', 'hello', 1), ['module dep café js m'])
    assert.equal((await say(page, 'module', 'lazy', 2)).slice(1), ['lazy dep café'])
    assert.equal((await say(page, 'module', 'nested', 3)).slice(2), ['nested hello'])
    await begin(page, 'classic')
    assert.equal((await say(page, 'classic', 'hello', 4)).slice(3), ['classic true'])
    assert.equal((await say(page, 'classic', 'script', 5)).slice(4), ['lib /classic.js'])
    await begin(page, 'query')
    assert.equal((await say(page, 'query', 'hello', 6)).slice(5), ['query named'])
    await begin(page, 'inline')
    assert.equal((await say(page, 'inline', 'hello', 7)).slice(6), ['inline'])
    await begin(page, 'url')
    assert.equal((await say(page, 'url', 'hello', 8)).slice(7), ['url'])
    assert.equal((await glance(page)).refusals, [])
  })

  inEngines(test, `${vite}: a flipped byte`, async (page) => {
    const site = sites[vite]
    for (const [path, ask] of [
      ['assets/module.js', undefined],
      ['assets/worker-dep.js', undefined],
      ['assets/worker-lazy.js', 'lazy'],
      ['assets/nested.js', 'nested'],
    ] as const) {
      site.reset()
      site.tamper(path, 'changed')
      await page.goto(site.url)
      await look(page)
      await begin(page, 'module')
      const events = ask ? await say(page, 'module', ask, 1) : await eventsOf(page, 1)
      console.log(path, events, (await glance(page)).refusals)
    }
  })
}
test.run()
