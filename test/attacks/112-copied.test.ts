import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { evilStatement } from '../../playground/tamper.ts'
import { generateKey } from '../../src/keys/generate.ts'
import { appFiles, buildSigned, serveApp, type TestSite } from '../support/app.ts'
import { attack, attacks } from '../support/attack.ts'
import { buildEntries, heads, tagOf, visitEntry } from '../support/entry-app.ts'
import { glance, look, openAny } from '../support/visit.ts'

// Modules that a build has copied, so that nothing has made what they import mean the same wherever they come from, where
// no import map denies the rest: 112.

const lib = `import './near.mjs'\nexport const text = 'lib'\n`
const copied = {
  'vendor/lib.mjs': lib,
  'vendor/lazy.mjs': `await import('./near.mjs')\nexport const text = 'lazy'\n`,
  'vendor/near.mjs': 'export {}\n',
  'vendor/plain.mjs': `export const text = 'plain'\n`,
}
const map = `<script type="importmap">{"imports":{"vendor/":"/vendor/"}}</script>`
const near = { type: 'text/javascript', body: evilStatement }

let folder: string
let site: TestSite
let entries: TestSite

attacks.before(async () => {
  const key = await generateKey('ed25519')
  const files = {
    'index.html': appFiles['index.html']!.replace('<title>', `${map}<title>`),
    ...Object.fromEntries(Object.entries(copied).map(([path, text]) => [`public/${path}`, text])),
  }
  folder = await buildSigned(key, { files, signed: { inline: false, tags: true } })
  site = await serveApp(folder)
  const unverified = Object.keys(copied)
  entries = await serveApp(await buildEntries(key, { assets: copied, signed: { unverified } }))
})

attacks.after(async () => {
  for (const each of [site, entries]) await each.close()
})

const sources = { tags: `'self'`, blob: `'self' blob:` }

attack(
  112,
  'copied module whose import was changed',
  { engines: 'all', variants: Object.keys(sources) },
  async (page, _, way) => {
    site.reset()
    site.reply('vendor/near.mjs', near)
    const policy = `script-src ${sources[way as keyof typeof sources]}`
    site.reply('index.html', {
      type: 'text/html; charset=utf-8',
      headers: { 'content-security-policy': policy },
      body: readFileSync(join(folder, 'index.html')),
    })
    await page.goto(site.url)
    assert.is((await look(page)).alert, '')
    assert.is(await page.evaluate('__signedimp.enforcement'), way)
    for (const path of ['vendor/lib.mjs', 'vendor/lazy.mjs'])
      assert.is(await openAny(page, `/${path}`), `ERR_SIGNEDIMP_NOT_ENFORCEABLE ${path}`)
    assert.is(await openAny(page, '/vendor/plain.mjs'), 'plain')
    assert.is((await glance(page)).evil, 0)
    return 'refused ERR_SIGNEDIMP_NOT_ENFORCEABLE'
  },
)

attack(
  112,
  'copied module that is redirected, in an app without HTML',
  { engines: 'all' },
  async (page) => {
    entries.reset()
    const location = '/evil/lib.mjs'
    entries.reply('vendor/lib.mjs', { status: 302, headers: { location }, body: '' })
    entries.reply('evil/lib.mjs', { body: lib })
    entries.reply('evil/near.mjs', near)
    await visitEntry(page, entries, tagOf('main.js'), { head: heads.plain })
    const outcome = await page.evaluate(() => {
      const { app } = globalThis as never as { app: { open(path: string): Promise<object> } }
      return app.open('/vendor/lib.mjs').then(
        () => 'ran',
        ({ code, path }) => `${code} ${path}`,
      )
    })
    assert.is(outcome, `ERR_SIGNEDIMP_UNLISTED /vendor/lib.mjs`)
    assert.is((await glance(page)).evil, 0)
    return 'refused ERR_SIGNEDIMP_UNLISTED'
  },
)

attacks.run()
