import { createHash } from 'node:crypto'
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
  isAsked,
  pageManifestOf,
  type AppBundler,
  type TestSite,
} from '../support/app.ts'
import { inEngines, type Page } from '../support/browsers.ts'
import { blocksOf, readDocument, sectionOf } from '../support/markdown.ts'
import { atOutside, outside } from '../support/outside.ts'
import { checks, settled, within, type Report } from '../support/reports.ts'
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
      const chunks = ['a', 'b', 'solo'].map((name) => `assets/${name}.js`)
      for (const path of ['assets/index.js', 'assets/index.css', ...chunks])
        await checks(site, path)
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

inEngines(test, 'a report is what the document shows', (page) =>
  within(folders.vite, async (site, reports) => {
    site.tamper('assets/a.js', 'changed')
    await useApp(page, site)
    await open(page, 'a')
    const [told] = blocksOf(sectionOf(readDocument('docs/deploy.md'), 'Rolling out'), 'json')
    const documented = { ...JSON.parse(told!), path: 'assets/a.js' }
    assert.equal(await settled(page, reports, 1), [documented])
  }),
)

inEngines(
  test,
  'an import of what is not listed is told of, and no script that has a tag',
  (page) =>
    within(folders.vite, async (site, reports) => {
      site.reply('extra.js', { type: 'text/javascript', body: 'globalThis.extra = 1' })
      await useApp(page, site)
      await page.evaluate(() => {
        const script = document.createElement('script')
        script.src = '/extra.js?tag'
        script.onload = () => script.remove()
        document.body.append(script)
      })
      await page.waitFor('globalThis.extra')
      assert.equal(await settled(page, reports, 0), [])
      assert.is(await openAny(page, '/extra.js?secret'), undefined)
      const [report] = (await settled(page, reports, 1)) as Record<string, string>[]
      assert.is(report!['code'], 'ERR_SIGNEDIMP_UNLISTED')
      assert.is(report!['path'], `${site.url}extra.js`)
      assert.equal(await toldIn(page), [`ERR_SIGNEDIMP_UNLISTED ${site.url}extra.js?secret`])
    }),
)

// WebKit asks the host again.
inEngines(
  test,
  'bytes that only a cache has wrong are told of',
  (page) =>
    within(
      folders.vite,
      async (site, reports) => {
        site.tamper('assets/a.js', 'changed-first')
        await useApp(page, site)
        assert.is(await open(page, 'a'), 'a café')
        await checkTold(page, reports, 'ERR_SIGNEDIMP_REFUSED', /^assets\/a\.js$/)
      },
      { cache: 'max-age' },
    ),
  { engines: ['chromium', 'firefox'] },
)

inEngines(test, 'an answer that fails once is asked for again, and not told of', (page) =>
  within(folders.vite, async (site, reports) => {
    const manifest = pageManifestOf(folders.vite)
    site.reply(manifest, (request) => (request === 0 ? { status: 500 } : undefined))
    await useApp(page, site)
    await checks(site, 'assets/index.js')
    assert.equal(await settled(page, reports, 0), [])
    assert.is(site.requests.filter(({ path }) => path === manifest).length, 2)
  }),
)

inEngines(test, 'a page that is left before it has checked anything tells nothing', (page) =>
  within(folders.vite, async (site, reports) => {
    const manifest = pageManifestOf(folders.vite)
    site.reply('next.html', { type: 'text/html', body: '<p>next' })
    site.tamper(manifest, 'slow', '1000')
    await useApp(page, site)
    await isAsked(site, manifest)
    await page.goto(`${site.url}next.html`)
    await page.evaluate(() => new Promise((settle) => setTimeout(() => settle(1), 3000)))
    assert.equal(await settled(page, reports, 0), [])
    assert.ok(site.requests.some(({ path }) => path === manifest))
  }),
)

const own = 'REPORT-ONLY'
/** Policies, and whether the page that enforces would refuse to start under them. */
const policies: [policy: string, kind: 'vite' | 'linked', isTold: boolean, isThere?: false][] = [
  [`script-src 'self'`, 'linked', true],
  // Then nobody is there to tell.
  [`script-src 'self'`, 'vite', false, false],
  [`script-src 'self' 'unsafe-inline'`, 'vite', true],
  [`script-src 'self' ${own}`, 'vite', true],
  [`script-src 'self' 'unsafe-inline' data:`, 'vite', false],
  [`script-src 'self' blob:`, 'linked', false],
  [`script-src 'self' 'nonce-abc'`, 'linked', false],
  [`require-trusted-types-for 'script'; trusted-types other`, 'linked', true],
  [`require-trusted-types-for 'script'; trusted-types signedimp`, 'vite', false],
]

for (const [policy, kind, isTold, isThere = true] of policies)
  inEngines(
    test,
    `${policy}, ${kind}: told is ${isTold ? '' : 'not '}that nothing could be enforced`,
    (page) =>
      within(folders[kind], async (site, reports) => {
        const html = readFileSync(join(folders[kind], 'index.html'), 'utf8')
        const [, code = ''] = /<script[^>]* data-mode[^>]*>([^]*?)<\/script>/.exec(html)!
        const hash = `'sha256-${createHash('sha256').update(code).digest('base64')}'`
        const headers = { 'content-security-policy': policy.replace(own, hash) }
        const body = html.replaceAll('<script', '<script nonce="abc"')
        site.reply('index.html', { type: 'text/html', body, headers })
        await page.goto(site.url)
        await page.waitFor('globalThis.app')
        if (isThere) await checks(site, 'assets/index.js')
        const [report, ...rest] = (await settled(page, reports, isTold ? 1 : 0)) as {
          code: string
        }[]
        assert.equal(rest, [])
        assert.is(report?.code, isTold ? 'ERR_SIGNEDIMP_NOT_ENFORCEABLE' : undefined)
      }),
  )

inEngines(test, 'over plain http nothing could be enforced, which is told', (page) =>
  within(folders.vite, async (site) => {
    assert.ok(outside, 'this machine has no address but the loopback')
    await atOutside(site.url, async (url) => {
      await page.goto(url)
      assert.is((await look(page)).alert, '')
      await page.waitFor('told.length > 0')
      assert.equal(await toldIn(page), ['ERR_SIGNEDIMP_NOT_ENFORCEABLE undefined'])
    })
  }),
)

test.run()
