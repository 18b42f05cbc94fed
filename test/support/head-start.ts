import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { evilStatement } from '../../playground/tamper.ts'
import { pageManifestOf, type TestSite } from './app.ts'
import type { EngineName } from './binaries.ts'
import type { Page } from './page.ts'
import { glance, look, open } from './visit.ts'

/** By what the page is to check its chunks all the same; `either` where it is a race. */
export type Expected = 'map' | 'blob' | 'either'

/** What a page's HTML or server does before the bootstrap has its turn. */
export interface HeadStart {
  /** HTML in front of everything in the page's head. */
  head?: string
  /** Headers of the page. */
  headers?: Record<string, string>
  /** How often tampered code runs by the page's own unchecked tag, which is part of the trust root. @default 0 */
  own?: number
  /** Whether what is loaded is there before the manifest, which is delayed. */
  before?: true
  /** In Chromium, Firefox and WebKit. */
  expected: readonly [Expected, Expected, Expected]
}

const chunk = '/assets/a.js'
const map = (content: object) => `<script type="importmap">${JSON.stringify(content)}</script>`
const all = (expected: Expected): HeadStart['expected'] => [expected, expected, expected]

/** Firefox takes no import map once anything else has loaded, so that no map would check anything there. */
const notFirefox: HeadStart['expected'] = ['map', 'blob', 'map']

/** What is loaded and imports something before the map comes makes Chromium drop rules of it; WebKit checks again. */
const preloaded = { before: true, expected: ['either', 'blob', 'map'] } as const

const preloadHeader = (path: string) => ({ link: `<${path}>; rel=modulepreload` })

/** Everything that is known to weaken an import map that comes after it. */
export const headStarts: Record<string, HeadStart> = {
  nothing: { expected: all('map') },
  'import() of another module': {
    head: `<script>import('/other.js')</script>`,
    expected: all('blob'),
  },
  'import() that fails': {
    head: `<script>import('/nowhere.js').catch(() => {})</script>`,
    expected: all('blob'),
  },
  'import() of a data: URL': {
    head: `<script>import('data:text/javascript,1')</script>`,
    expected: notFirefox,
  },
  'import() of the chunk': {
    head: `<script>import('${chunk}').catch(() => {})</script>`,
    own: 1,
    expected: all('blob'),
  },
  'static import of another module': {
    head: `<script type="module">import '/other.js'</script>`,
    expected: all('blob'),
  },
  'inline module': {
    head: `<script type="module">globalThis.inline = 1</script>`,
    expected: notFirefox,
  },
  'module tag of another module': {
    head: `<script type="module" src="/other.js"></script>`,
    expected: notFirefox,
  },
  'module tag of the chunk': {
    head: `<script type="module" src="${chunk}"></script>`,
    own: 1,
    before: true,
    expected: ['either', 'blob', 'either'],
  },
  'modulepreload of the chunk': {
    head: `<link rel="modulepreload" href="${chunk}">`,
    ...preloaded,
  },
  'modulepreload of the main chunk': {
    head: `<link rel="modulepreload" href="/assets/index.js">`,
    ...preloaded,
  },
  'modulepreload of an unlisted module': {
    head: `<link rel="modulepreload" href="/unlisted.js">`,
    expected: notFirefox,
  },
  'modulepreload header of the chunk': { headers: preloadHeader(chunk), ...preloaded },
  'modulepreload header of an unlisted module': {
    headers: preloadHeader('/unlisted.js'),
    expected: notFirefox,
  },
  'preload of the chunk': {
    head: `<link rel="preload" as="script" crossorigin href="${chunk}">`,
    expected: all('map'),
  },
  'preload header of the chunk': {
    headers: { link: `<${chunk}>; rel=preload; as=script; crossorigin` },
    expected: all('map'),
  },
  'import map that is empty': { head: map({}), expected: all('blob') },
  'import map with empty integrity': {
    head: map({ integrity: { [chunk]: '' } }),
    expected: all('blob'),
  },
  'import map with integrity of no known kind': {
    head: map({ integrity: { [chunk]: 'md5-AAAA', '/assets/shared.js': 'sha256-!!!' } }),
    expected: all('blob'),
  },
  'import map that means another file': {
    head: map({ imports: { [chunk]: '/unlisted.js' } }),
    expected: all('blob'),
  },
  'import map with a scope': {
    head: map({ scopes: { '/assets/': { '/assets/shared.js': '/unlisted.js' } } }),
    expected: all('blob'),
  },
  'import map that allows everything': {
    head: map({ imports: { 'http://': 'http://', 'https://': 'https://', '/': '/' } }),
    expected: all('blob'),
  },
}

/** Makes a site ready for {@link tryHeadStart}: an unlisted module that is evil, and another that is not. */
export function addOthers(site: TestSite): void {
  site.reply('unlisted.js', { body: `${evilStatement}export const t = ['evil']` })
  site.reply('other.js', { body: 'globalThis.other = 1' })
}

const order: EngineName[] = ['chromium', 'firefox', 'webkit']

/**
 * Opens the app behind a head start, then its chunk `a`, which is tampered with, or only its neighbours are: in the one
 * case it must be refused, in the other it must run.
 */
export async function tryHeadStart(
  page: Page,
  engine: EngineName,
  site: TestSite,
  folder: string,
  { head = '', headers = {}, own = 0, before, expected }: HeadStart,
  evil: boolean,
): Promise<void> {
  site.reset()
  addOthers(site)
  const html = readFileSync(join(folder, 'index.html'), 'utf8')
  const body = html.replace('<head>', `<head>${head}`)
  site.reply('index.html', { type: 'text/html; charset=utf-8', headers, body })
  if (before) site.tamper(pageManifestOf(folder), 'slow', '300')
  if (evil) site.tamper(chunk.slice(1), 'changed')

  await page.goto(site.url)
  const { alert } = await look(page)
  assert.is(alert, '')
  const enforcement = String(await page.evaluate('__signedimp.enforcement'))
  const wanted = expected[order.indexOf(engine)]!
  assert.ok(['either', enforcement].includes(wanted), `${enforcement}, not ${wanted}`)
  const opened = await open(page, 'a')
  const seen = await glance(page)
  assert.ok(seen.evil <= (evil ? own : 0), `tampered code ran ${seen.evil} times: ${opened}`)
  assert.equal(seen.ran.slice(0, 2), ['dep', 'index'])
  assert.is(opened, evil ? 'ERR_SIGNEDIMP_CHANGED assets/a.js' : 'a café')
}
