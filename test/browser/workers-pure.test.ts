import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { serveApp, type TestSite } from '../support/app.ts'
import { inEngines } from '../support/browsers.ts'
import { atOutside, outside } from '../support/outside.ts'
import { skip } from '../support/skip.ts'
import { look } from '../support/visit.ts'
import { begin, buildWorkers, keepScripts, say } from '../support/workers-app.ts'

// Workers of pages from plain http, where browsers give no cryptography.

let site: TestSite

test.before(async () => {
  const signed = { pure: true }
  site = await serveApp(await buildWorkers(await generateKey('rsa-pss'), { signed }))
})

test.after(() => site.close())

if (outside === undefined)
  skip(test, 'workers, pure', 'this machine has no address but the loopback')
else
  for (const way of ['fetched before', 'fetched by itself'])
    inEngines(test, `workers without a secure context, ${way}`, async (page) => {
      site.reset()
      if (way === 'fetched by itself') keepScripts(site)
      await atOutside(site.url, async (url) => {
        await page.goto(url)
        assert.is((await look(page)).alert, '')
        await page.waitFor('!isSecureContext')
        assert.is(await begin(page, 'module'), '')
        assert.is(await say(page, 'module', 'hello'), 'module dep café m')
        await begin(page, 'classic')
        assert.is(await say(page, 'classic', 'script'), 'lib /classic.js')
      })
    })

test.run()
