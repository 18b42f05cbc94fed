import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import {
  appBundlers,
  buildSigned,
  pageManifestOf,
  type AppBundler,
  type TestSite,
} from '../support/app.ts'
import { inEngines } from '../support/browsers.ts'
import { buildEntries, handWritten } from '../support/entry-app.ts'
import { settled, within } from '../support/reports.ts'
import { glance, look, open, starts } from '../support/visit.ts'

// What a page tells the address that its build names of what it refuses.

const folders = {} as Record<AppBundler | 'silent' | 'entries', string>
const signed = { name: 'shop', build: 41, reportTo: '/report' }

test.before(async () => {
  const key = await generateKey('ed25519')
  for (const bundler of appBundlers) folders[bundler] = await buildSigned(key, { bundler, signed })
  folders.silent = await buildSigned(key)
  folders.entries = await buildEntries(key, { signed })
})

const about = { name: 'shop', build: 41 }
const changed = {
  code: 'ERR_SIGNEDIMP_CHANGED',
  path: 'assets/a.js',
  reason: 'a second fetch saw other bytes than the signed ones',
}

for (const bundler of appBundlers)
  inEngines(test, `${bundler}: refused chunks, each kind once`, (page) =>
    within(folders[bundler], async (site, reports) => {
      await page.goto(`${site.url}?secret#secret`)
      assert.is((await look(page)).alert, '')
      site.tamper('assets/a.js', 'changed')
      for (let time = 0; time < 3; time++)
        assert.is(await open(page, 'a'), 'ERR_SIGNEDIMP_CHANGED assets/a.js')
      assert.is((await glance(page)).refusals.length, 3)
      assert.equal(await settled(page, reports, 1), [{ ...changed, ...about }])
    }),
  )

inEngines(test, 'no more than ten, without what addresses hold of their reader', (page) =>
  within(folders.vite, async (site, reports) => {
    await starts(page, site)
    const refused = await page.evaluate(async () => {
      const { app } = globalThis as unknown as { app: { any(url: string): Promise<unknown> } }
      const names = Array.from(
        { length: 12 },
        (_, at) => `/of/nobody-${at}.js?secret=1 secret#secret`,
      )
      const all = await Promise.allSettled(names.map((name) => app.any(name)))
      return all.filter(({ status }) => status === 'rejected').length
    })
    assert.is(refused, 12)
    const sent = (await settled(page, reports, 10)) as { path: string; code: string }[]
    assert.equal(
      sent.map(({ path }) => path).sort(),
      Array.from({ length: 10 }, (_, at) => `/of/nobody-${at}.js`).sort(),
    )
    for (const { text } of reports) assert.not.match(text, 'secret')
  }),
)

const starting: [title: string, tamper: (site: TestSite) => void, code: string, path: RegExp][] = [
  [
    'the manifest',
    (site) => site.tamper(pageManifestOf(folders.vite), 'changed'),
    'MANIFEST_INVALID',
    /^undefined$/,
  ],
  ['the main chunk', (site) => site.tamper('assets/index.js', 'changed'), 'CHANGED', /index\.js$/],
  [
    'the manifest, missing',
    (site) => site.tamper(pageManifestOf(folders.vite), 'missing'),
    'MISSING',
    /signedimp-manifest\.\w+\.txt$/,
  ],
]

for (const [title, tamper, code, path] of starting)
  inEngines(test, `a page that does not start, for ${title}`, (page) =>
    within(folders.vite, async (site, reports) => {
      tamper(site)
      await page.goto(site.url)
      assert.match((await look(page)).alert, `ERR_SIGNEDIMP_${code} `)
      const [report, ...rest] = (await settled(page, reports, 1)) as Record<string, string>[]
      assert.equal(rest, [])
      assert.is(report!.code, `ERR_SIGNEDIMP_${code}`)
      assert.match(String(report!.path), path)
      assert.equal([report!.name, report!.build], ['shop', 41])
      assert.equal(
        Object.keys(report!)
          .filter((key) => !['path'].includes(key))
          .sort(),
        ['build', 'code', 'name', 'reason'],
      )
    }),
  )

inEngines(test, 'nothing, where the build names no address', (page) =>
  within(folders.silent, async (site, reports) => {
    await starts(page, site)
    site.tamper('assets/a.js', 'changed')
    assert.is(await open(page, 'a'), 'ERR_SIGNEDIMP_CHANGED assets/a.js')
    assert.equal(await settled(page, reports, 0), [])
    assert.equal(
      site.requests.filter(({ method }) => method !== 'GET'),
      [],
    )
  }),
)

inEngines(test, 'entries without HTML, when they start and later', (page) =>
  within(folders.entries, async (site, reports) => {
    site.reply('index.html', handWritten('<script type="module" src="/main.js"></script>'))
    await page.goto(site.url)
    await page.waitFor('globalThis.app')
    site.tamper('deep/lazy.js', 'changed')
    await page.evaluate(() => {
      const { app } = globalThis as unknown as { app: { lazy(): Promise<unknown> } }
      return app.lazy().catch(() => 1)
    })
    const lazy = { ...changed, path: 'deep/lazy.js', ...about }
    assert.equal(await settled(page, reports, 1), [lazy])
    reports.length = 0
    site.tamper('shared.js', 'changed')
    await page.goto(site.url)
    await page.waitFor('document.querySelector("[role=alert]")')
    assert.equal(await settled(page, reports, 1), [{ ...lazy, path: 'shared.js' }])
  }),
)

test.run()
