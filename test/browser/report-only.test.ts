import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { SignedImpOptions } from '../../src/plugin/options.ts'
import { generateKey } from '../../src/keys/generate.ts'
import {
  appBundlers,
  appFiles,
  buildSigned,
  pageManifestOf,
  type AppBundler,
  type TestSite,
} from '../support/app.ts'
import { inEngines, type Page } from '../support/browsers.ts'
import { settled, within, type Report } from '../support/reports.ts'
import { look, open, openAny } from '../support/visit.ts'

// Pages that tell what they would refuse: the app works whatever comes, and each thing that is wrong is told of once.

const folders = {} as Record<AppBundler | 'linked', string>

const files = {
  'index.html': appFiles['index.html']!.replace(
    'addEventListener(',
    `globalThis.told = []
      addEventListener('signedimp:report-only', ({ detail }) => told.push(detail.code + ' ' + detail.path))
      addEventListener(`,
  ),
  'src/main.js': `import './main.css'\n${appFiles['src/main.js']}`,
  'src/main.css': 'body { color: rgb(1, 2, 3) }\n',
}
const signed: SignedImpOptions = {
  name: 'shop',
  build: 41,
  reportTo: '/report',
  mode: 'report-only',
}

test.before(async () => {
  const key = await generateKey('ed25519')
  for (const bundler of appBundlers)
    folders[bundler] = await buildSigned(key, { bundler, files, signed })
  folders.linked = await buildSigned(key, { files, signed: { ...signed, inline: false } })
})

const about = { build: 41, mode: 'report-only' }

/** Opens the page, whose app must start, and all of its chunks that come. */
async function useApp(page: Page, site: TestSite): Promise<void> {
  await page.goto(site.url)
  const { alert, ran } = await look(page)
  assert.is(alert, '')
  assert.ok(ran.includes('index'))
}

const toldIn = (page: Page) => page.evaluate('told')

for (const bundler of ['vite', 'esbuild', 'linked'] as const)
  inEngines(test, `${bundler}: nothing is told where nothing is wrong`, (page) =>
    within(folders[bundler], async (site, reports) => {
      await useApp(page, site)
      for (const name of ['a', 'b', 'solo'] as const)
        assert.is(await open(page, name), { a: 'a café', b: 'b café', solo: 'solo' }[name])
      assert.equal(await settled(page, reports, 0), [])
      assert.equal(await toldIn(page), [])
      const color = await page.evaluate('getComputedStyle(document.body).color')
      assert.is(color, 'rgb(1, 2, 3)')
    }),
  )

/** What is wrong, what is done to the page then, and what it tells. */
const faults: Record<
  string,
  { tamper(site: TestSite, folder: string): void; code: string; path: RegExp; open?: 'a' }
> = {
  'a flipped main chunk': {
    tamper: (site) => site.tamper('assets/index.js', 'flipped'),
    code: 'CHANGED',
    path: /^assets\/index\.js$/,
  },
  'a changed lazy chunk': {
    tamper: (site) => site.tamper('assets/a.js', 'changed'),
    code: 'CHANGED',
    path: /^assets\/a\.js$/,
    open: 'a',
  },
  'a changed stylesheet': {
    tamper: (site) =>
      site.reply('assets/index.css', { type: 'text/css', body: 'body { color: red }' }),
    code: 'CHANGED',
    path: /^assets\/index\.css$/,
  },
  'a missing lazy chunk': {
    tamper: (site) => site.tamper('assets/a.js', 'missing'),
    code: 'MISSING',
    path: /^assets\/a\.js$/,
    open: 'a',
  },
  'a wrong signature': {
    tamper(site, folder) {
      const text = readFileSync(join(folder, pageManifestOf(folder)), 'utf8')
      site.reply(pageManifestOf(folder), { body: text.replace('build: 41', 'build: 42') })
    },
    code: 'SIGNATURE',
    path: /^undefined$/,
  },
  'a missing manifest': {
    tamper: (site, folder) => site.tamper(pageManifestOf(folder), 'missing'),
    code: 'MISSING',
    path: /signedimp-manifest\.\w+\.txt$/,
  },
  'another name': {
    tamper: (site, folder) => replyPage(site, folder, 'data-name="shop"', 'data-name="bank"'),
    code: 'NAME',
    path: /^undefined$/,
  },
}

/** Serves the page with something else in it. */
function replyPage(site: TestSite, folder: string, from: string, to: string): void {
  const html = readFileSync(join(folder, 'index.html'), 'utf8')
  assert.ok(html.includes(from))
  site.reply('index.html', { type: 'text/html', body: html.replace(from, to) })
}

for (const bundler of appBundlers)
  for (const [title, { tamper, code, path, open: chunk }] of Object.entries(faults))
    inEngines(test, `${bundler}: ${title} runs, and is told of once`, (page) =>
      within(folders[bundler], async (site, reports) => {
        tamper(site, folders[bundler])
        await useApp(page, site)
        if (chunk) for (let time = 0; time < 2; time++) await open(page, chunk)
        await checkTold(page, reports, `ERR_SIGNEDIMP_${code}`, path)
      }),
    )

/** Exactly one thing was told, by the event, the report and the console alike; nothing was refused. */
async function checkTold(page: Page, reports: Report[], code: string, path: RegExp): Promise<void> {
  const [report, ...rest] = (await settled(page, reports, 1)) as Record<string, unknown>[]
  assert.equal(rest, [])
  assert.is(report!['code'], code)
  assert.match(String(report!['path']), path)
  const { build, mode } = report!
  assert.equal({ build, mode }, about)
  assert.equal(await toldIn(page), [`${code} ${String(report!['path'])}`])
  assert.equal(await page.evaluate('refusals'), [])
  const warnings = page.messages().filter((line) => line.includes('would refuse this'))
  if (page.messages().length > 0) assert.is(warnings.length, 1, page.messages().join('\n'))
}

test.run()
