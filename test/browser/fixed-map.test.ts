import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { evilStatement } from '../../playground/tamper.ts'
import { generateKey } from '../../src/keys/generate.ts'
import {
  buildSigned,
  chunkOf,
  pageManifestOf,
  serveApp,
  type SignedAppOptions,
  type TestSite,
} from '../support/app.ts'
import { policyOf, serveAsSaid } from '../support/as-said.ts'
import { inEngines, type Page } from '../support/browsers.ts'
import { ask, buildMapApp, serveFar } from '../support/map-app.ts'
import { atOutside, outside } from '../support/outside.ts'
import { skip } from '../support/skip.ts'
import { evilStyle, heardOf, lookAt, openRoute, stylesApp } from '../support/styles-app.ts'
import { glance, look, open, openAny, refuses, refusesChunk, starts } from '../support/visit.ts'
import { freePort } from '../support/web-servers.ts'

// The option `policy: 'self'`, with the headers that the build writes: scripts of the files' host, and by hashes the
// bootstrap, the page's import map and what proves it.

const key = await generateKey('rsa-pss')
const cdnPort = await freePort()
const cdn = `http://127.0.0.1:${cdnPort}/cdn/`

const variants: Record<string, SignedAppOptions> = {
  inline: {},
  linked: { signed: { inline: false } },
  all: { signed: { inline: 'all' } },
  'sha512, with a build': { signed: { hash: 'sha512', build: 7 } },
  esbuild: { bundler: 'esbuild', apart: ['a', 'b'] },
  relative: { base: './' },
  'below a folder': { base: '/shop/' },
  'files on another origin': { base: cdn },
  'tags, too': { signed: { tags: true } },
  'odd names': { files: { 'public/o d é?#%.json': '1', 'public/__proto__.json': '1' } },
}

const folders: Record<string, string> = {}
const sites: Record<string, TestSite> = {}
let cdnSite: TestSite
let laterFolder = ''
let styles: TestSite
let far: TestSite
let named: TestSite

const build = (options: SignedAppOptions = {}, own = key) =>
  buildSigned(own, {
    ...options,
    signed: { ...options.signed, policy: 'self', headers: ['json'] },
  })

test.before(async () => {
  for (const [name, options] of Object.entries(variants)) {
    folders[name] = await build(options)
    const base = options.base === '/shop/' ? options.base : '/'
    sites[name] = await serveAsSaid(folders[name], { base })
  }
  cdnSite = await serveApp(folders['files on another origin']!, {
    port: cdnPort,
    base: '/cdn/',
    cors: true,
  })
  laterFolder = await build({ files: { 'src/solo.js': `export const text = 'later'` } })
  styles = await serveAsSaid(await build({ files: stylesApp, apart: ['look'] }))
  far = await serveFar()
  const signed = { policy: 'self', headers: ['json'] } as const
  named = await serveAsSaid(await buildMapApp(key, far.url, { signed }))
})

test.after(async () => {
  for (const site of [...Object.values(sites), cdnSite, styles, far, named]) await site.close()
})

const siteOf = (name: string): TestSite => {
  sites[name]!.reset()
  cdnSite.reset()
  return sites[name]!
}

/** Opens a page, which must enforce its map. */
async function works(page: Page, site: TestSite): Promise<void> {
  await starts(page, site)
  assert.is(await page.evaluate('__signedimp.enforcement'), 'map')
}

for (const name of Object.keys(variants))
  inEngines(test, `${name}: the page runs, and refuses what was changed`, async (page) => {
    const site = siteOf(name)
    const files = name === 'files on another origin' ? cdnSite : site
    files.tamper('assets/a.js', 'changed')
    await works(page, site)
    await refusesChunk(page, 'a', 'ERR_SIGNEDIMP_CHANGED')
    assert.is(await open(page, 'b'), 'b café')
    site.reset()
    files.reset()
    await works(page, site)
    assert.is(await open(page, 'a'), 'a café')
  })

for (const module of ['index', 'dep'])
  inEngines(test, `what a page starts with was changed: ${module}`, async (page) => {
    const site = siteOf('inline')
    site.tamper(chunkOf(folders['inline']!, module), 'changed')
    await refuses(page, site, 'ERR_SIGNEDIMP_CHANGED')
  })

test('the policy has no nonce, and allows no scheme and nothing that scripts add', () => {
  const hash = String.raw`'sha256-[\w+/]{43}='`
  const rest = `; object-src 'none'; base-uri 'none'`
  const pattern = (host: string) =>
    new RegExp(`^script-src( ${hash})+ ${host} ${hash} ${hash}${rest}$`)
  assert.match(policyOf(folders['inline']!), pattern("'self'"))
  assert.match(policyOf(folders['relative']!), pattern("'self'"))
  assert.match(policyOf(folders['files on another origin']!), pattern(new URL(cdn).origin))
})

inEngines(test, 'scripts that the policy does not know do not run', async (page) => {
  await works(page, siteOf('inline'))
  assert.is(
    await page.evaluate(() => {
      const script = document.createElement('script')
      script.text = 'globalThis.__evil = 1'
      document.head.append(script)
      return (globalThis as never as { __evil?: number }).__evil ?? 'blocked'
    }),
    'blocked',
  )
})

inEngines(test, 'the hashes of all modules in the place of the host', async (page, { name }) => {
  const site = siteOf('inline')
  const folder = folders['inline']!
  const listed = /^([0-9a-f]{64}) \S+\.js$/gm
  const manifest = readFileSync(join(folder, pageManifestOf(folder)), 'utf8')
  const hashes = [...manifest.matchAll(listed)].map(
    ([, digest]) => `'sha256-${Buffer.from(digest!, 'hex').toString('base64')}'`,
  )
  const policy = policyOf(folder).replace("'self'", hashes.join(' '))
  const headers = { 'Content-Security-Policy': policy }
  site.reply('index.html', { type: 'text/html; charset=utf-8', headers })
  // WebKit does not let modules import one another by their hashes.
  if (name === 'webkit') return refuses(page, site, 'ERR_SIGNEDIMP_REFUSED')
  site.tamper('assets/a.js', 'changed')
  await works(page, site)
  return refusesChunk(page, 'a', 'ERR_SIGNEDIMP_CHANGED')
})

inEngines(test, 'a later build, signed too, in the place of the own one: refused', async (page) => {
  const site = siteOf('inline')
  const manifest = pageManifestOf(folders['inline']!)
  const later = (path: string) => ({ body: readFileSync(join(laterFolder, path)) })
  site.reply(manifest, later(pageManifestOf(laterFolder)))
  site.reply('assets/solo.js', later('assets/solo.js'))
  await refuses(page, site, 'ERR_SIGNEDIMP_NOT_ENFORCEABLE')
})

inEngines(test, 'the policy of a later build on the own page: refused', async (page) => {
  const site = siteOf('inline')
  const headers = { 'Content-Security-Policy': policyOf(laterFolder) }
  site.reply('index.html', { type: 'text/html; charset=utf-8', headers })
  await refuses(page, site, 'ERR_SIGNEDIMP_NOT_ENFORCEABLE')
})

inEngines(test, 'stylesheets of chunks are checked as elsewhere', async (page) => {
  styles.reset()
  styles.reply('assets/b.css', { type: 'text/css', body: evilStyle })
  await page.goto(styles.url)
  await page.waitFor(() => 'app' in globalThis)
  assert.is(await openRoute(page, 'a'), 'a')
  assert.is((await lookAt(page)).values['a'], 'signed')
  await openRoute(page, 'b')
  assert.ok((await heardOf(page, 2)).includes('ERR_SIGNEDIMP_CHANGED assets/b.css'))
  assert.is((await lookAt(page)).values['evil'], undefined)
})

inEngines(test, "names of the page's own import map mean the same", async (page) => {
  far.reset()
  far.reply('pack/part.js', {
    body: evilStatement,
    headers: { 'access-control-allow-origin': '*' },
  })
  await page.goto(named.url)
  assert.is((await look(page)).alert, '')
  assert.is(await page.evaluate('__signedimp.enforcement'), 'map')
  assert.equal(await ask(page, 'values'), ['lib 2', 'far inner', 'near'])
  assert.is(await openAny(page, 'vendor/old/lib.mjs'), 'old 1')
  assert.is(await openAny(page, `${far.url}lazy.js`), 'lazy')
  const part = `${far.url}pack/part.js`
  assert.is(await openAny(page, 'pack/part.js'), `ERR_SIGNEDIMP_CHANGED ${part}`)
  assert.is((await glance(page)).evil, 0)
})

if (outside === undefined) skip(test, 'pure', 'this machine has no address but the loopback')
else
  inEngines(test, 'pure: the page runs over plain http', async (page) => {
    const site = await serveAsSaid(await build({ signed: { pure: true } }))
    try {
      site.tamper('assets/a.js', 'changed')
      await atOutside(site.url, async (url) => {
        await page.goto(url)
        assert.is((await look(page)).alert, '')
        assert.is(await page.evaluate('__signedimp.enforcement'), 'map')
        await refusesChunk(page, 'a', 'ERR_SIGNEDIMP_CHANGED')
      })
    } finally {
      await site.close()
    }
  })

test.run()
