import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { inEngines } from '../support/browsers.ts'
inEngines(test, 'loops', async (page) => { await page.evaluate(() => { for (;;) {} }) }, { timeoutMs: 1000 })
inEngines(test, 'after', async (page) => { assert.is(await page.evaluate(() => 2), 2) })
test.run()
