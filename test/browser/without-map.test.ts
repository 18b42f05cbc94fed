import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { appBundlers, buildSigned, chunkOf, serveApp, type TestSite } from '../support/app.ts'
import { inEngines } from '../support/browsers.ts'
import { scratchFolder } from '../support/processes.ts'
import { glance, look, open } from '../support/visit.ts'

// An app notices nothing of what checks it: the same under an import map, linked in memory, and loaded by tags.

const files = {
  'src/main.js': `import { dep } from './dep.js'
ran.push('index')
for (const [target, type] of [[document, 'DOMContentLoaded'], [window, 'load']])
  target.addEventListener(type, () => ran.push(type + ' ' + document.readyState))
globalThis.app = { dep, url: import.meta.url, a: () => import('./a.js'), b: () => import('./b.js') }
`,
}

/** What a page must lack for each of them to check. */
const policies = {
  map: '',
  blob: `script-src 'self' blob:`,
  tags: `script-src 'self'`,
} as const
type Enforcement = keyof typeof policies

const sites = new Map<string, TestSite>()
const folders = new Map<string, string>()

test.before(async () => {
  const key = await generateKey('ed25519')
  const signed = { inline: false, tags: true }
  for (const bundler of appBundlers) {
    const folder = await buildSigned(key, { bundler, files, signed })
    folders.set(bundler, folder)
    sites.set(bundler, await serveApp(folder))
  }
  const folder = scratchFolder()
  const cdn = await serveApp(folder, { cors: true })
  cpSync(await buildSigned(key, { files, signed, base: cdn.url }), folder, { recursive: true })
  folders.set('cdn', folder)
  sites.set('cdn', cdn)
})

test.after(async () => {
  for (const site of sites.values()) await site.close()
})

for (const bundler of appBundlers)
  for (const enforcement of Object.keys(policies) as Enforcement[])
    inEngines(test, `${bundler}, ${enforcement}`, async (page) => {
      const site = sites.get(bundler)!
      site.reset()
      const policy: string = policies[enforcement]
      const headers: Record<string, string> = policy ? { 'content-security-policy': policy } : {}
      site.reply('index.html', { type: 'text/html; charset=utf-8', headers })
      await page.goto(site.url)
      assert.is((await look(page)).alert, '')
      await page.waitFor(`ran.some((name) => name.startsWith('load'))`)
      assert.is(await page.evaluate('__signedimp.enforcement'), enforcement)
      assert.equal((await glance(page)).ran, [
        'dep',
        'index',
        'DOMContentLoaded interactive',
        'load complete',
      ])
      const entry = chunkOf(folders.get(bundler)!, 'index')
      assert.is(await page.evaluate('app.url'), site.url + entry)
      assert.is(await open(page, 'a'), 'a café')
      assert.is(await open(page, 'b'), 'b café')
      assert.equal((await glance(page)).ran.slice(4), ['shared', 'a', 'b'])
    })

inEngines(
  test,
  'tags, on another host whose scripts the policy allows, with others',
  async (page) => {
    const [site, cdn] = [sites.get('vite')!, sites.get('cdn')!]
    site.reset()
    cdn.reset()
    const { origin } = new URL(cdn.url)
    site.reply('index.html', {
      type: 'text/html; charset=utf-8',
      headers: { 'content-security-policy': `script-src ${origin} https://other.example` },
      body: readFileSync(join(folders.get('cdn')!, 'index.html')),
    })
    cdn.tamper('assets/b.js', 'changed')
    await page.goto(site.url)
    assert.is((await look(page)).alert, '')
    assert.is(await page.evaluate('__signedimp.enforcement'), 'tags')
    assert.is(await open(page, 'a'), 'a café')
    assert.is(await open(page, 'b'), 'ERR_SIGNEDIMP_CHANGED assets/b.js')
    assert.is((await glance(page)).evil, 0)
  },
)

test.run()
