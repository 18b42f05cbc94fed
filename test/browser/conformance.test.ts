import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { check, filesIn, findUnwrapped, textIn } from '../bundlers/built.ts'
import { pageManifestOf, serveApp, type TestSite } from '../support/app.ts'
import { engines, inEngines, type EngineName, type Page } from '../support/browsers.ts'
import {
  besides,
  buildConformance,
  bundlers,
  chunkWith,
  type Bundler,
} from '../support/conformance.ts'
import { glance, look } from '../support/visit.ts'

// One app, built from the same source by every bundler: each output verifies, and each behaves the same.

const key = await generateKey('ed25519')
const folders = {} as Record<Bundler, string>
const sites = {} as Record<Bundler, TestSite>

test.before(async () => {
  for (const bundler of bundlers) {
    folders[bundler] = await buildConformance(bundler, key)
    sites[bundler] = await serveApp(folders[bundler])
  }
})

test.after(async () => {
  for (const site of Object.values(sites)) await site.close()
})

for (const bundler of bundlers)
  test(`${bundler}: the output verifies, and lists every file`, async () => {
    const folder = folders[bundler]
    const { main, pages } = await check(folder, key, 'conformance')
    const [page] = pages.values()
    assert.is(pages.size, 1)
    const loadable = filesIn(folder).filter((path) => !/\.(html|txt)$/.test(path))
    assert.equal([...page!.files.keys()].sort(), loadable)
    assert.equal(await findUnwrapped(folder), [])
    for (const path of loadable.filter((file) => /^assets\/.*\.js$/.test(file)))
      assert.is(textIn(folder, path)[0], '\ufeff', path)
    // The circle is one chunk or two, but what imports it says so.
    assert.ok(
      main.imports
        .get(chunkWith(folder, 'a'))!
        .some(({ path }) => path === chunkWith(folder, 'pair')),
    )
    assert.ok(filesIn(folder).some((path) => path.endsWith('.css')))
  })

interface App {
  url: string
  values: string[]
  isShared(): Promise<boolean>
  lazyUrl(): Promise<string>
  computed(specifier: string): Promise<string>
}
type Globals = {
  app: App & Record<'a' | 'b' | 'broken', () => Promise<unknown>>
  ran: string[]
  refusals: string[]
}

const word = 'naïve café ☕'
const style = 'getComputedStyle(document.body).color'

const opened = (page: Page, name: 'a' | 'b' | 'broken'): Promise<unknown> =>
  page.evaluate((module) => (globalThis as unknown as Globals).app[module](), name)

/** Starts the app, whose modules run in their order; milestones come when they come, as to a module that awaits. */
async function starts(page: Page, site: TestSite): Promise<void> {
  await page.goto(site.url)
  assert.is((await look(page)).alert, '')
  assert.equal((await glance(page)).ran, started)
  await page.waitFor(`globalThis.milestones?.includes('load')`)
  assert.equal(await page.evaluate('milestones'), ['DOMContentLoaded', 'load'])
}

const started = ['note', 'shared', 'right', 'left', 'awaits', 'awaited', 'main']

/** What is done to an output, and what every output must then do. */
const conditions: Record<string, (page: Page, site: TestSite, folder: string) => Promise<void>> = {
  async clean(page, site, folder) {
    await starts(page, site)
    const { url, values } = await page.evaluate(() => {
      const { url, values } = (globalThis as unknown as Globals).app
      return { url, values }
    })
    assert.equal(values, ['left', 'leftright', 'awaited', word])
    assert.is(url, site.url + chunkWith(folder, 'main'))
    assert.is(await page.evaluate(style), 'rgb(1, 2, 3)')

    assert.is(await opened(page, 'a'), `a ${word}pair of object`)
    assert.is(await opened(page, 'b'), 'b pair of object')
    assert.is(await opened(page, 'broken'), 'RangeError: planned failure')
    assert.is(await page.evaluate('app.isShared()'), true)
    assert.is(await page.evaluate('app.lazyUrl()'), site.url + chunkWith(folder, 'b'))
    const computed = (specifier: string) =>
      page.evaluate(`app.computed(${JSON.stringify(specifier)})`)
    assert.is(await computed(besides(folder, 'b')), 'b pair of object')
    assert.is(await computed('./unlisted.js'), 'ERR_SIGNEDIMP_UNLISTED')
    const ran = (await glance(page)).ran.slice(started.length)
    assert.equal(ran, ['pair', 'a', 'b', 'broken'])
    assert.equal(await page.evaluate('refusals'), ['ERR_SIGNEDIMP_UNLISTED'])
  },

  async 'clean, second page, as Latin-1'(page, site, folder) {
    for (const path of filesIn(folder).filter((file) => /^assets.*\.js$/.test(file)))
      site.tamper(path, 'charset')
    await page.goto(`${site.url}second.html`)
    assert.is((await look(page)).alert, '')
    assert.equal((await glance(page)).ran, ['note', 'shared', 'second'])
    assert.is(await page.evaluate('app.url'), site.url + chunkWith(folder, 'second'))
    assert.equal(await page.evaluate('app.values'), [word])
    assert.is(await opened(page, 'b'), 'b pair of object')
    assert.equal(await page.evaluate('refusals'), [])
  },

  async 'a chunk changed, another missing'(page, site, folder) {
    const [changed, missing] = [chunkWith(folder, 'pair'), chunkWith(folder, 'broken')]
    site.tamper(changed, 'changed')
    site.tamper(missing, 'missing')
    await starts(page, site)
    for (const name of ['a', 'b'] as const)
      assert.equal(await opened(page, name), ['ERR_SIGNEDIMP_CHANGED', changed])
    assert.match(String(await opened(page, 'broken')), /^SignedImpError: .*missing/i)
    const { evil, ran } = await glance(page)
    assert.equal([evil, ran.slice(started.length)], [0, []])
    const codes = await page.evaluate<string[]>('refusals')
    assert.equal([...new Set(codes)], ['ERR_SIGNEDIMP_CHANGED', 'ERR_SIGNEDIMP_MISSING'])
  },

  async 'main chunk changed'(page, site, folder) {
    const changed = chunkWith(folder, 'main')
    site.tamper(changed, 'flipped')
    await page.goto(site.url)
    const { alert, evil, ran } = await look(page)
    assert.ok(alert.startsWith(`ERR_SIGNEDIMP_CHANGED ${changed}: `), alert)
    assert.equal([evil, ran], [0, []])
  },

  async 'manifest changed'(page, site, folder) {
    const stored = textIn(folder, pageManifestOf(folder))
    site.reply(pageManifestOf(folder), {
      body: stored.replace('# name: conformance', '# name: conformancE'),
    })
    await page.goto(site.url)
    const { alert, evil, ran } = await look(page)
    assert.match(alert, /^ERR_SIGNEDIMP_SIGNATURE /)
    assert.equal([evil, ran], [0, []])
  },
}

/** esbuild's output runs in all engines; the others are spread over them, so that each condition meets each engine. */
function enginesFor(bundler: Bundler, condition: number): readonly EngineName[] {
  if (bundler === 'esbuild' || process.env.SIGNEDIMP_FULL) return engines
  return [engines[(bundlers.indexOf(bundler) + condition) % engines.length]!]
}

for (const bundler of bundlers)
  for (const [at, [title, behaves]] of Object.entries(conditions).entries())
    inEngines(
      test,
      `${bundler}, ${title}`,
      async (page) => {
        sites[bundler].reset()
        await behaves(page, sites[bundler], folders[bundler])
      },
      { engines: enginesFor(bundler, at) },
    )

test.run()
