import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { serveApp, type TestSite } from '../support/app.ts'
import { inEngines, type Page } from '../support/browsers.ts'
import { hashOf } from '../support/policies.ts'
import { look } from '../support/visit.ts'
import { workerPolicies, type WorkerFate } from '../support/worker-policies.ts'
import { begin, buildWorkers, eventsOf, keepScripts, nest, say } from '../support/workers-app.ts'

// Under any policy a worker is checked, or there is an error that says why not.

const folders: Record<string, string> = {}
const sites: Record<string, TestSite> = {}

test.before(async () => {
  const key = await generateKey('ecdsa-p256')
  const kinds = {
    inline: { workersFirst: true },
    linked: { workersFirst: true, inline: false, tags: true },
  } as const
  for (const [kind, signed] of Object.entries(kinds)) {
    folders[kind] = await buildWorkers(key, { signed })
    sites[kind] = await serveApp(folders[kind])
  }
})

test.after(async () => {
  for (const site of Object.values(sites)) await site.close()
})

for (const { policy, kind, enforcement, before, itself, lazy } of workerPolicies)
  inEngines(test, `${policy}, ${kind}`, async (page) => {
    const site = sites[kind]!
    const html = readFileSync(join(folders[kind]!, 'index.html'), 'utf8')
    const headers = { 'Content-Security-Policy': policy.replace('BOOTSTRAP', () => hashOf(html)) }
    const open = async () => {
      site.reply('index.html', { type: 'text/html; charset=utf-8', headers })
      await page.goto(site.url)
      assert.is((await look(page)).alert, '')
      assert.is(await page.evaluate('__signedimp.enforcement'), enforcement)
    }
    site.reset()
    await open()
    assert.is(await fateOf(page, 'module', 'hello', 'module dep café m'), before)
    if (before === 'runs') {
      assert.is(await nest(page), 'nested hello')
      const refused = 'ERR_SIGNEDIMP_NOT_ENFORCEABLE undefined'
      assert.is(await say(page, 'module', 'lazy'), lazy === 'runs' ? 'lazy dep café' : refused)
    }
    assert.is(await fateOf(page, 'classic', 'hello', 'classic true ?a=1#b'), before)
    keepScripts(site)
    await open()
    assert.is(await fateOf(page, 'module', 'hello', 'module dep café m'), itself)
    assert.is(await fateOf(page, 'classic', 'hello', 'classic true ?a=1#b'), itself)
  })

/** What becomes of a worker: it runs, or it is refused, by an error of its own and in the page. */
async function fateOf(page: Page, name: string, ask: string, answer: string): Promise<WorkerFate> {
  const before = (await eventsOf(page)).length
  const wrong = await begin(page, name)
  if (wrong !== '') {
    // WebKit says at once what the others tell by an event.
    assert.is(wrong.trim(), 'SecurityError')
    await toldOf(page)
    return 'blocked'
  }
  const heard = await say(page, name, ask, before)
  if (heard === answer) return 'runs'
  assert.match(`${heard}`, /^error/)
  await toldOf(page)
  assert.is((await eventsOf(page)).length, before + 1)
  return /ERR_SIGNEDIMP_NOT_ENFORCEABLE/.test(heard!) ? 'refused' : 'blocked'
}

/** The page is told, too. */
async function toldOf(page: Page): Promise<void> {
  await page.waitFor(`told.length > 0`)
  const told = await page.evaluate<string[]>('told.splice(0)')
  assert.ok(
    told.every((text) => text.startsWith('ERR_SIGNEDIMP_NOT_ENFORCEABLE')),
    `${told}`,
  )
}

test.run()
