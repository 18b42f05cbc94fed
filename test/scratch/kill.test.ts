import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { inEngines } from '../support/browsers.ts'
const mine = (name: RegExp) => readdirSync('/proc').filter((d) => /^\d+$/.test(d)).map(Number).filter((p) => { try { return readFileSync(`/proc/${p}/cmdline`, 'latin1').match(name) && readFileSync(`/proc/${p}/environ`, 'latin1').includes('SIGNEDIMP_HELPER') && readFileSync(`/proc/${p}/environ`, 'latin1').includes(process.env.SIGNEDIMP_COMMAND ?? '-') } catch { return false } })
const names = { chromium: /chromium.*remote-debugging/, firefox: /firefox.*remote-debugging/, webkit: /MiniBrowser/ }
inEngines(test, 'killed', async (page, engine) => {
  await page.evaluate(() => 1)
  const a = Date.now()
  const pending = page.evaluate(() => new Promise((d) => setTimeout(d, 50_000))).then(() => 'ok', (e) => String(e).slice(0, 200))
  await new Promise((d) => setTimeout(d, 300))
  const pids = mine(names[engine.name]); console.error(engine.name, pids.length); assert.ok(pids.length)
  for (const p of pids) try { process.kill(p, 'SIGKILL') } catch {}
  const r = await pending; console.error('pending', r, Date.now() - a)
  assert.is.not(r, 'ok')
})
inEngines(test, 'works again', async (page) => { assert.is(await page.evaluate(() => 2), 2) })
inEngines(test, 'too long', async (page) => { await page.evaluate(() => new Promise(() => {})) }, { timeoutMs: 1000 })
inEngines(test, 'after', async (page) => { assert.is(await page.evaluate(() => 2), 2) })
test.run()
