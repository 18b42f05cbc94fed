import { readdirSync, readFileSync } from 'node:fs'
import { SourceMap, type SourceMapPayload } from 'node:module'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { buildApp } from '../../playground/build.ts'
import { serve, type Site } from '../../playground/server.ts'
import { generateKey } from '../../src/keys/generate.ts'
import { loadPlugin } from '../support/app.ts'
import { inEngines, type Engine, type EngineName, type Page } from '../support/browsers.ts'
import { buildFixture } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'

// The playground's React app does the same signed as unsigned.

const base = '/app/'
const ways = { inline: true, linked: false, all: 'all' } as const
type Name = 'plain' | keyof typeof ways

const folders = new Map<Name, string>()
const sites = new Map<Name, Site>()

test.before(async () => {
  const signedImp = await loadPlugin()
  const key = await generateKey()
  const build = async (name: Name, plugins: unknown[]) => {
    const folder = scratchFolder()
    await buildApp(folder, { base, plugins })
    folders.set(name, folder)
    sites.set(name, await serve(folder, { base }))
  }
  await build('plain', [])
  for (const [name, inline] of Object.entries(ways))
    await build(name as Name, [signedImp(key, { inline })])
})

test.after(async () => {
  for (const site of sites.values()) await site.close()
})

/** What the app has done, without what differs from site to site and from build to build. */
interface Report {
  log: string[]
  urls: Record<string, string>
  texts: string[]
  style: string[]
  image: number
  ready: string
}

async function use(page: Page, name: Name): Promise<Report> {
  const { url } = sites.get(name)!
  await page.goto(url)
  await page.waitFor(
    () => document.querySelector('#home') !== null && document.readyState === 'complete',
  )
  const texts: string[] = []
  for (const route of ['shop', 'cart', 'visit']) {
    await page.evaluate((id) => document.getElementById(id)!.click(), `open-${route}`)
    await page.waitFor(`__log.some((line) => line.startsWith('shown ${route}'))`)
    texts.push(await page.evaluate((id) => document.getElementById(id)!.textContent!, route))
    if (route === 'shop')
      await page.evaluate(() => document.querySelector<HTMLElement>('li button')!.click())
  }
  await page.waitFor(() => (document.querySelector('#visit img') as HTMLImageElement).naturalWidth)
  const seen = await page.evaluate(() => {
    const page = globalThis as unknown as { __log: string[]; __urls: Record<string, string> }
    const style = [...document.styleSheets].flatMap((sheet) =>
      [...sheet.cssRules].map((rule) => (rule as CSSStyleRule).selectorText ?? rule.cssText),
    )
    const image = (document.querySelector('#visit img') as HTMLImageElement).naturalWidth
    return { log: page.__log, urls: page.__urls, style, image, ready: document.readyState }
  })
  const urls = Object.entries(seen.urls).map(([module, where]) => [module, shorten(where, url)])
  return {
    ...seen,
    urls: Object.fromEntries(urls),
    texts,
    style: seen.style.map(withoutHash).sort(),
  }
}

const shorten = (where: string, site: string) => withoutHash(where.replace(site, ''))

const withoutHash = (text: string) => text.replace(/-[\w-]{8}(?=\.js$)/, '')

const plainly = new Map<EngineName, Promise<Report>>()

/** The unsigned app, looked at once in each engine. */
async function usePlain(engine: Engine): Promise<Report> {
  const page = await engine.open()
  const report = await use(page, 'plain').finally(() => page.close())
  assert.ok(report.log.includes('DOMContentLoaded @interactive'), report.log.join('\n'))
  assert.ok(report.log.includes('load @complete'), report.log.join('\n'))
  assert.ok(report.log.includes('shown visit @complete'), report.log.join('\n'))
  assert.is(report.urls.Shop, 'assets/Shop.js')
  assert.match(report.texts[0]!, 'crème fraîche')
  return report
}

for (const name of Object.keys(ways) as Name[]) {
  inEngines(test, `the app does the same signed (${name}) as unsigned`, async (page, engine) => {
    if (!plainly.has(engine.name)) plainly.set(engine.name, usePlain(engine))
    assert.equal(await use(page, name), await plainly.get(engine.name))
  })
}

test('source maps still tell where a text comes from, after a byte order mark too', () => {
  const { chunk, code, map } = chunkWith('crème fraîche')
  assert.match(chunk, /^catalog-/)
  assert.ok(
    code.startsWith('\ufeff'),
    'the byte order mark is gone, and with it the point of this test',
  )
  const lines = code.slice(1).split('\n')
  const line = lines.findIndex((text) => text.includes('crème fraîche'))
  const found = new SourceMap(map).findEntry(line, lines[line]!.indexOf('crème fraîche') - 1)
  assert.ok('originalSource' in found)
  assert.match(found.originalSource, /common\/catalog\.ts$/)
  const source = map.sourcesContent[map.sources.indexOf(found.originalSource)]!
  assert.match(source.split('\n')[found.originalLine]!, 'crème fraîche')
})

function chunkWith(text: string): { chunk: string; code: string; map: SourceMapPayload } {
  const folder = join(folders.get('inline')!, 'assets')
  const read = (name: string) => readFileSync(join(folder, name), 'utf8')
  const chunk = readdirSync(folder).find(
    (name) => name.endsWith('.js') && read(name).includes(text),
  )
  assert.ok(chunk)
  const code = read(chunk)
  const url = /\n\/\/# sourceMappingURL=(\S+)\s*$/.exec(code)?.[1]
  assert.is(url, `${chunk}.map`)
  return { chunk, code, map: JSON.parse(read(`${chunk}.map`)) as SourceMapPayload }
}

// What throws, in a main chunk that has import() and import.meta before it, and in a lazy one.
const throwing = {
  'index.html':
    '<!doctype html><title>Stacks</title><script type="module" src="/src/main.js"></script>',
  'src/main.js': `const here = import.meta.url
globalThis.lazy = () => import('./lazy.js').then(({ fail }) => fail(here))
globalThis.app = function start(text) {
  if (!text) throw new Error('main ' + here.length)
  return text
}
`,
  'src/lazy.js': `export const fail = (text) => {
  throw new RangeError('lazy ' + text.length)
}
`,
}

let stacks: Record<'plain' | 'signed', string>

test.before(async () => {
  const signedImp = await loadPlugin()
  const config = { build: { minify: true, sourcemap: true } }
  const build = (plugins: unknown[]) => buildFixture(throwing, { config, plugins })
  stacks = { plain: await build([]), signed: await build([signedImp()]) }
})

inEngines(
  test,
  'stacks name the same places signed as unsigned, and maps find them',
  async (page) => {
    const plain = await framesOf(page, stacks.plain)
    const signed = await framesOf(page, stacks.signed)
    assert.ok(plain.main.length > 0 && plain.lazy.length > 0)
    assert.equal(signed, plain)
    assert.equal(originOf(stacks.signed, signed.main[0]!), { source: 'main.js', line: 4 })
    assert.equal(originOf(stacks.signed, signed.lazy[0]!), { source: 'lazy.js', line: 2 })
  },
)

/** A place in the code of a page, as a stack names it. */
interface Frame {
  file: string
  line: number
  column: number
}

async function framesOf(page: Page, folder: string): Promise<Record<'main' | 'lazy', Frame[]>> {
  const site = await serve(folder)
  try {
    await page.goto(site.url)
    await page.waitFor("'app' in globalThis")
    const main = await page.evaluate(
      '(() => { try { app() } catch (error) { return error.stack } })()',
    )
    const lazy = await page.evaluate('lazy().catch((error) => error.stack)')
    return { main: readStack(String(main), site.url), lazy: readStack(String(lazy), site.url) }
  } finally {
    await site.close()
  }
}

/** The frames in files of the site; a `#` and what follows it is no part of a file's name. */
function readStack(stack: string, site: string): Frame[] {
  const frames = stack.matchAll(/(http[^\s()@#]+?)(?:#[\w-]*)?:(\d+):(\d+)/g)
  return [...frames]
    .filter(([, url]) => url!.startsWith(`${site}assets/`))
    .map(([, url, line, column]) => ({
      file: url!.slice(site.length),
      line: Number(line),
      column: Number(column),
    }))
}

function originOf(folder: string, { file, line, column }: Frame) {
  const map = new SourceMap(JSON.parse(readFileSync(join(folder, `${file}.map`), 'utf8')))
  const entry = map.findEntry(line - 1, column - 1)
  assert.ok('originalSource' in entry)
  return { source: entry.originalSource.split('/').at(-1), line: entry.originalLine + 1 }
}

test.run()
