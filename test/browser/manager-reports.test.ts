import type { KeyObject } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { serveApp, type TestSite } from '../support/app.ts'
import { inEngines } from '../support/browsers.ts'
import { blocksOf, readDocument, sectionOf } from '../support/markdown.ts'
import { settled, within } from '../support/reports.ts'
import { addRoot, importNames, openHost, pemOf, signFolder, writeHost } from '../support/roots.ts'

// What a manager tells the address that it was given of what it refuses.

let host = ''
let key = {} as KeyObject
let site = {} as TestSite

test.before(async () => {
  host = await writeHost()
  key = await generateKey('ed25519')
  site = await serveApp(await signFolder(key, 'cart', { 'other.js': 'export const other = 1\n' }), {
    cors: true,
  })
})

test.after(() => site.close())

const [documented] = blocksOf(sectionOf(readDocument('docs/manager.md'), 'Reports'), 'json')

inEngines(test, 'each kind once, with its root, and without queries', (page) =>
  within(host, async (pages, reports) => {
    site.reset()
    await openHost(page, pages.url, { reportTo: '/report' })
    const trust = { keys: [pemOf(key)], name: 'cart' }
    assert.match(await addRoot(page, site.url, { ...trust, build: 41 }), /^ROLLBACK /)
    assert.is(await addRoot(page, site.url, trust), 'ok')
    site.tamper('other.js', 'changed')
    for (let time = 0; time < 2; time++)
      assert.is(await importNames(page, `${site.url}other.js`), 'CHANGED other.js')
    await importNames(page, `${site.url}none.js?secret`)
    await importNames(page, `${pages.url}nowhere.js?secret`)
    const found = (await settled(page, reports, 4)) as Record<string, unknown>[]
    const cart = { root: site.url, name: 'cart', build: null }
    const isFixed = ([name]: [string, unknown]) => name !== 'reason'
    const told = found.map((one) => Object.fromEntries(Object.entries(one).filter(isFixed)))
    assert.equal(told, [
      { code: 'ERR_SIGNEDIMP_ROLLBACK', ...cart, build: 41 },
      { code: 'ERR_SIGNEDIMP_CHANGED', path: 'other.js', ...cart },
      { code: 'ERR_SIGNEDIMP_UNLISTED', path: `${site.url}none.js`, ...cart },
      { code: 'ERR_SIGNEDIMP_UNLISTED', path: `${pages.url}nowhere.js`, build: null },
    ])
    const { reason, ...shown } = JSON.parse(documented!)
    assert.equal([reason, Object.keys(shown)], [found[1]!['reason'], Object.keys(told[1]!)])
  }),
)

inEngines(test, 'no more than ten, and nothing where there is no address', (page) =>
  within(host, async (pages, reports) => {
    for (const options of [{}, { reportTo: '/report' }]) {
      await openHost(page, pages.url, options)
      for (let at = 0; at < 12; at++) await importNames(page, `${pages.url}none-${at}.js`)
      const expected = 'reportTo' in options ? 10 : 0
      assert.is((await settled(page, reports, expected)).length, expected)
    }
  }),
)

test.run()
