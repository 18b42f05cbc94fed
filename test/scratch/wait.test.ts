import { test } from 'uvu'
import { inEngines } from '../support/browsers.ts'
inEngines(test, 'waits', async (page, e) => { console.error('up', e.name); if (e.name === 'webkit') await page.evaluate(() => new Promise(() => {})) })
test.run()
