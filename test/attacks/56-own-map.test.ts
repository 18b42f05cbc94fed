import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { evilStatement } from '../../playground/tamper.ts'
import { generateKey } from '../../src/keys/generate.ts'
import { serveApp, type TestSite } from '../support/app.ts'
import { attack, attacks } from '../support/attack.ts'
import type { Page } from '../support/browsers.ts'
import { freePort } from '../support/web-servers.ts'
import {
  ask,
  integrityOf,
  buildMapApp,
  farFiles,
  mapOf,
  namesOf,
  serveFar,
} from '../support/map-app.ts'
import { addRoot, importNames, openHost, pemOf, serveHost } from '../support/roots.ts'
import { glance, look, openAny, refuses } from '../support/visit.ts'

// A page with an import map of its own, and modules on another host: 42, 44, 48, 56, 59, 97, 98, 100, 112. Who serves the
// other host's modules is an attacker as much as who serves the build's.

const key = await generateKey('ed25519')
const evil = `${evilStatement}export const text = 'evil', far = text, lib = text, inner = text`
const all = { engines: 'all' } as const

let folder: string
let site: TestSite
let far: TestSite
let host: TestSite

attacks.before(async () => {
  far = await serveFar()
  folder = await buildMapApp(key, far.url)
  site = await serveApp(folder, { cors: true })
  host = await serveHost()
})

attacks.after(async () => {
  for (const each of [site, far, host]) await each.close()
})

attacks.before.each(() => {
  far.reset()
  site.reset()
})

const cors = { 'access-control-allow-origin': '*' }
/** Has the other host answer with something else from now on. */
const answer = (path: string, reply: Parameters<TestSite['reply']>[1]) => far.reply(path, reply)
const changed = { body: evil, headers: cors }

/** Visits the page, which must start. */
async function start(page: Page): Promise<void> {
  await page.goto(site.url)
  const { alert, ran } = await look(page)
  assert.is(alert, '')
  assert.is(ran.at(-1), 'main')
}

/** What must not have come to pass. */
async function nothingEvil(page: Page, ...names: string[]): Promise<void> {
  assert.is((await glance(page)).evil, 0)
  const ran = await namesOf(page)
  for (const name of names) assert.not.ok(ran.includes(name), name)
}

const refusedAs = (code: string, path: string) => `ERR_SIGNEDIMP_${code} ${path}`

attack(44, 'external module changed, later', all, async (page) => {
  answer('lazy.js', changed)
  await start(page)
  const refused = refusedAs('CHANGED', `${far.url}lazy.js`)
  assert.is(await openAny(page, `${far.url}lazy.js`), refused)
  assert.equal(await ask(page, 'refusals'), [refused])
  await nothingEvil(page, 'lazy')
  assert.is(await openAny(page, 'pack/part.js'), 'part')
  return 'refused ERR_SIGNEDIMP_CHANGED'
})

attack(
  44,
  'external module changed, which the main chunk imports',
  { ...all, variants: ['far.js', 'near.js', 'inner.js'] },
  async (page, _, path) => {
    answer(path, changed)
    await page.goto(site.url)
    const { alert } = await look(page)
    assert.match(alert, `ERR_SIGNEDIMP_CHANGED ${far.url}${path}: `)
    await nothingEvil(page, 'main')
    return 'refused ERR_SIGNEDIMP_CHANGED'
  },
)

attack(
  44,
  'file that a name means changed',
  { ...all, variants: ['vendor/lib.mjs', 'vendor/dep-2.mjs'] },
  async (page, _, path) => {
    site.tamper(path, 'changed')
    await page.goto(site.url)
    const { alert } = await look(page)
    assert.match(alert, `ERR_SIGNEDIMP_CHANGED ${path}: `)
    await nothingEvil(page, 'main', 'lib')
    return 'refused ERR_SIGNEDIMP_CHANGED'
  },
)

attack(48, 'external module without CORS', all, async (page) => {
  const headers = { 'access-control-allow-origin': 'https://other.example' }
  answer('lazy.js', { body: farFiles['lazy.js']!, headers })
  await start(page)
  assert.is(await openAny(page, `${far.url}lazy.js`), refusedAs('NETWORK', `${far.url}lazy.js`))
  await nothingEvil(page, 'lazy')
  return 'refused ERR_SIGNEDIMP_NETWORK'
})

attack(42, 'external module redirected to others', all, async (page) => {
  answer('lazy.js', { status: 302, headers: { ...cors, location: `${far.url}evil.js` } })
  answer('evil.js', changed)
  await start(page)
  assert.is(await openAny(page, `${far.url}lazy.js`), refusedAs('CHANGED', `${far.url}lazy.js`))
  await nothingEvil(page, 'lazy')
  return 'refused ERR_SIGNEDIMP_CHANGED'
})

attack(112, 'external module redirected, same bytes beside evil ones', all, async (page) => {
  answer('far.js', { status: 302, headers: { ...cors, location: `${far.url}evil/far.js` } })
  answer('evil/far.js', { body: farFiles['far.js']!, headers: cors })
  answer('evil/near.js', changed)
  await page.goto(site.url)
  const { alert } = await look(page)
  await nothingEvil(page, 'main', 'far')
  return `refused ${alert.split(' ')[0]}`
})

attack(59, 'external module that imports what is not listed', all, async (page) => {
  await start(page)
  assert.is(await openAny(page, `${far.url}needy.js`), refusedAs('UNLISTED', `${far.url}needy.js`))
  await nothingEvil(page, 'needy', 'unlisted')
  return 'refused ERR_SIGNEDIMP_UNLISTED'
})

/** Maps that a script adds when the app runs. Chromium and WebKit take them, and merge. */
const laterMaps: Record<string, (far: string, site: string) => object> = {
  'another meaning of names': (at, own) => ({
    imports: { lib: `${at}evil.js`, far: `${at}evil.js`, 'pack/part.js': `${own}evil.js` },
  }),
  'another meaning of URLs': (at, own) => ({
    imports: {
      [`${own}vendor/lib.mjs`]: `${at}evil.js`,
      [`${at}lazy.js`]: `${at}evil.js`,
      [`${at}pack/`]: `${at}evil/`,
    },
  }),
  'other integrity': (at, own) => ({
    integrity: {
      [`${own}vendor/lib.mjs`]: '',
      [`${at}lazy.js`]: '',
      [`${at}pack/part.js`]: 'md5-A',
    },
  }),
  'everything allowed': (at) => ({
    imports: { 'http://': 'http://', 'https://': 'https://', [at]: at },
  }),
}

attack(
  56,
  'map that comes later',
  { ...all, variants: Object.keys(laterMaps) },
  async (page, _, variant) => {
    for (const path of ['lazy.js', 'evil.js', 'pack/part.js', 'evil/part.js']) answer(path, changed)
    site.reply('evil.js', { body: evil })
    await start(page)
    await page.evaluate(
      (map) => {
        const script = document.createElement('script')
        script.type = 'importmap'
        script.textContent = map
        document.head.append(script)
      },
      JSON.stringify(laterMaps[variant]!(far.url, site.url)),
    )
    assert.is(await openAny(page, 'lib'), 'lib 2')
    assert.is(await openAny(page, 'far'), 'far inner')
    assert.is(await openAny(page, '/vendor/lib.mjs'), 'lib 2')
    const lazy = [refusedAs('CHANGED', `${far.url}lazy.js`)]
    const part = ['lazy.js', 'pack/part.js'].map((path) => refusedAs('CHANGED', far.url + path))
    assert.ok(lazy.includes(await openAny(page, `${far.url}lazy.js`)))
    assert.ok(part.includes(await openAny(page, 'pack/part.js')))
    assert.is(await openAny(page, `${far.url}evil.js`), refusedAs('UNLISTED', `${far.url}evil.js`))
    await nothingEvil(page, 'lazy', 'part')
    return 'refused ERR_SIGNEDIMP_CHANGED'
  },
)

/** What happens in the page before the bootstrap has its turn. */
const before: Record<string, [number, head: (far: string) => string]> = {
  'a name that meant something else': [
    98,
    () => `<script>
      const map = document.createElement('script')
      map.type = 'importmap'
      map.textContent = '{"imports":{"lib":"data:text/javascript,export const lib=0"}}'
      document.head.append(map)
      map.remove()
      import('lib')
    </script>`,
  ],
  'an import of an external module': [
    97,
    (at) => `<script>import('${at}near.js').catch(() => {})</script>`,
  ],
}

for (const [title, [number, head]] of Object.entries(before))
  attack(number, `${title}, before the map`, all, async (page) => {
    const html = readFileSync(join(folder, 'index.html'), 'utf8')
    const body = html.replace('<head>', `<head>${head(far.url)}`)
    site.reply('index.html', { type: 'text/html; charset=utf-8', body })
    return refusesApp(page)
  })

/** Visits the page, which must refuse before anything of the app has run; an external module is none of the app's. */
async function refusesApp(page: Page): Promise<string> {
  await page.goto(site.url)
  const { alert } = await look(page)
  assert.match(alert, /^ERR_SIGNEDIMP_NOT_ENFORCEABLE /)
  await nothingEvil(page, 'main', 'lib', 'far')
  return 'refused ERR_SIGNEDIMP_NOT_ENFORCEABLE'
}

attack(97, 'modulepreload of a changed external module', all, async (page) => {
  const html = readFileSync(join(folder, 'index.html'), 'utf8')
  const tag = `<link rel="modulepreload" href="${far.url}far.js">`
  site.reply('index.html', {
    type: 'text/html; charset=utf-8',
    body: html.replace('<head>', `<head>${tag}`),
  })
  answer('far.js', changed)
  await page.goto(site.url)
  const { alert } = await look(page)
  assert.match(alert, /^ERR_SIGNEDIMP_(NOT_ENFORCEABLE|CHANGED) /)
  await nothingEvil(page, 'main', 'far')
  return `refused ${alert.split(' ')[0]}`
})

attack(56, 'map in front of the bootstrap', all, (page) => {
  const html = readFileSync(join(folder, 'index.html'), 'utf8')
  const map = '<script type="importmap">{"imports":{"lib":"/evil.js"}}</script>'
  site.reply('index.html', {
    type: 'text/html; charset=utf-8',
    body: html.replace('<head>', `<head>${map}`),
  })
  return refuses(page, site, 'ERR_SIGNEDIMP_NOT_ENFORCEABLE')
})

attack(56, 'external module that is a file of the build where it is served', all, async (page) => {
  const port = await freePort()
  const at = `http://127.0.0.1:${port}/vendor/`
  const external = { [`${at}lib.mjs`]: integrityOf(evil), [`${at}dep-2.mjs`]: integrityOf(evil) }
  const served = await serveApp(await buildMapApp(key, far.url, { signed: { external } }), { port })
  try {
    served.reply('vendor/lib.mjs', { body: evil })
    await page.goto(served.url)
    assert.match((await look(page)).alert, /^ERR_SIGNEDIMP_(CHANGED|REFUSED) /)
    await nothingEvil(page, 'main', 'lib')
    return 'refused ERR_SIGNEDIMP_CHANGED'
  } finally {
    await served.close()
  }
})

attack(59, 'modules that import external ones, through a manager', all, async (page) => {
  await openHost(page, host.url)
  await page.evaluate((at) => {
    const map = document.createElement('script')
    map.type = 'importmap'
    map.textContent = JSON.stringify({ imports: { lib: `${at}evil.js`, far: `${at}evil.js` } })
    document.head.append(map)
  }, far.url)
  for (const path of ['evil.js', 'far.js', 'lazy.js']) answer(path, changed)
  assert.is(await addRoot(page, site.url, { name: 'fixture', keys: [pemOf(key)] }), 'ok')
  const outcome = await importNames(page, `${site.url}assets/index.js`)
  assert.is(outcome, 'NOT_ENFORCEABLE assets/index.js')
  await nothingEvil(page, 'main')
  return 'refused ERR_SIGNEDIMP_NOT_ENFORCEABLE'
})

const weak: Record<string, string> = {
  empty: '',
  'of no known kind': 'md5-AAAA',
  'of no hash': 'sha256-!!!',
  'without a hash': 'sha256-',
}

attack(
  100,
  'integrity that engines ignore, in a page of its own map',
  { variants: Object.keys(weak) },
  async (variant) => {
    const map = mapOf('https://far.example/')
    map.integrity!['https://far.example/far.js'] = weak[variant]!
    const message = await buildMapApp(key, 'https://far.example/', { maps: [map] }).then(
      () => 'nothing was refused',
      (error: Error) => error.message,
    )
    assert.match(message, /\bERR_SIGNEDIMP_OUTPUT index\.html: .*which browsers do not all obey/)
    return 'refused ERR_SIGNEDIMP_OUTPUT'
  },
)

attack(
  56,
  'own map that sends a file of the build elsewhere',
  { variants: ['imports', 'scopes'] },
  async (variant) => {
    const names = { '/vendor/lib.mjs': '/vendor/dep-1.mjs' }
    const map = variant === 'imports' ? { imports: names } : { scopes: { '/': names } }
    const maps = [mapOf('https://far.example/'), map]
    const message = await buildMapApp(key, 'https://far.example/', { maps }).then(
      () => 'nothing was refused',
      (error: Error) => error.message,
    )
    assert.match(message, /\bERR_SIGNEDIMP_OUTPUT index\.html: .*it sends vendor\/lib\.mjs/)
    return 'refused ERR_SIGNEDIMP_OUTPUT'
  },
)

attacks.run()
