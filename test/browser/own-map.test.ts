import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createPolicy, strictDynamic } from '../../src/emit/policy.ts'
import { generateKey } from '../../src/keys/generate.ts'
import { serveApp, type TestSite } from '../support/app.ts'
import { inEngines } from '../support/browsers.ts'
import {
  ask,
  buildMapApp,
  mapOf,
  namesOf,
  serveFar,
  startMapApp,
  type MapBundler,
} from '../support/map-app.ts'
import { openAny } from '../support/visit.ts'

// A page with import maps of its own, by three bundlers: names of files and of modules on another host mean what they
// mean without signatures, and nothing else means anything.

const values = ['lib 2', 'far inner', 'near']
const key = await generateKey('ed25519')
const bundlers: MapBundler[] = ['vite', 'vite5', 'esbuild']
const sites = new Map<MapBundler, [folder: string, site: TestSite]>()
let far: TestSite
/** Whose map has a module without a hash, too. */
let freeSite: TestSite

test.before(async () => {
  far = await serveFar()
  for (const bundler of bundlers) {
    const folder = await buildMapApp(key, far.url, { bundler })
    sites.set(bundler, [folder, await serveApp(folder)])
  }
  const { imports, ...map } = mapOf(far.url)
  const maps = [{ ...map, imports: { ...imports, free: `${far.url}free.js` } }]
  const signed = { unverified: [`${far.url}free.js`] }
  freeSite = await serveApp(await buildMapApp(key, far.url, { maps, signed }))
})

test.after(async () => {
  await freeSite.close()
  for (const [, site] of sites.values()) await site.close()
  await far.close()
})

for (const bundler of bundlers)
  inEngines(test, `${bundler}: names mean what the page's map says`, async (page) => {
    const [, site] = sites.get(bundler)!
    await startMapApp(page, site)
    assert.equal(await ask(page, 'values'), values)
    assert.equal(await namesOf(page), ['dep', 'lib', 'near', 'inner', 'far', 'main'])
    // Later, too: by the wrapper, by which scopes and folders mean the same.
    assert.is(await openAny(page, 'lib'), 'lib 2')
    assert.is(await openAny(page, 'vendor/old/lib.mjs'), 'old 1')
    assert.is(await openAny(page, '/vendor/old/lib.mjs'), 'old 1')
    assert.is(await openAny(page, 'far'), 'far inner')
    assert.is(await openAny(page, 'pack/part.js'), 'part')
    assert.is(await openAny(page, `${far.url}near.js`), 'near')
    assert.is(await page.evaluate('app.lazy().then(({ text }) => text)'), 'lazy')
    const added = ['dep', 'old', 'part', 'lazy']
    assert.equal((await namesOf(page)).slice(6), added)
  })

inEngines(test, 'what the map does not have means nothing', async (page) => {
  const [, site] = sites.get('vite')!
  await startMapApp(page, site)
  const nothing = [
    'nothing',
    'pack/none.js',
    'vendor/none.mjs',
    `${far.url}free.js`,
    'inner',
    '//x/y.js',
  ]
  for (const specifier of nothing)
    assert.is(await openAny(page, specifier), `ERR_SIGNEDIMP_UNLISTED ${specifier}`)
  assert.equal(
    await ask(page, 'refusals'),
    nothing.map((specifier) => `ERR_SIGNEDIMP_UNLISTED ${specifier}`),
  )
})

inEngines(test, 'import.meta.resolve gives what an import would load', async (page) => {
  const [, site] = sites.get('vite')!
  await startMapApp(page, site)
  const resolved = await page.evaluate(
    (specifiers) =>
      specifiers.map((specifier) => {
        try {
          const { app } = globalThis as never as { app: { resolve(name: string): string } }
          return app.resolve(specifier).replace(/#[\w-]{36}$/, '#salt')
        } catch (error) {
          return (error as Error).name
        }
      }),
    ['lib', 'vendor/dep-1.mjs', 'far', `${far.url}lazy.js`, `${far.url}free.js`, 'nothing'],
  )
  assert.equal(resolved, [
    `${site.url}vendor/lib.mjs#salt`,
    `${site.url}vendor/dep-1.mjs#salt`,
    `${far.url}far.js#salt`,
    `${far.url}lazy.js#salt`,
    'TypeError',
    'TypeError',
  ])
})

inEngines(test, 'what is accepted without a hash loads whatever comes', async (page) => {
  const headers = { 'access-control-allow-origin': '*' }
  far.reply('free.js', { body: 'export const text = "changed"', headers })
  await startMapApp(page, freeSite)
  assert.is(await openAny(page, 'free'), 'changed')
  assert.is(await openAny(page, `${far.url}free.js`), 'changed')
  far.reset()
})

inEngines(test, 'the policy of the option "headers" lets external modules run', async (page) => {
  const [folder] = sites.get('vite')!
  const found = createPolicy(readFileSync(join(folder, 'index.html'), 'utf8'), {
    hasWasm: false,
    hasWorkers: false,
    trusted: [strictDynamic],
  })
  if (!('policy' in found)) throw new Error(found.hindrance)
  const site = await serveApp(folder, { headers: { 'content-security-policy': found.policy } })
  try {
    await startMapApp(page, site)
    assert.equal(await ask(page, 'values'), values)
    assert.is(await openAny(page, `${far.url}lazy.js`), 'lazy')
  } finally {
    await site.close()
  }
})

inEngines(test, 'a policy by hosts must name those of external modules', async (page) => {
  const [, { url }] = sites.get('vite')!
  const [folder] = sites.get('vite')!
  const start = async (hosts: string) => {
    const policy = `script-src 'self' 'unsafe-inline' data: ${hosts}`
    const site = await serveApp(folder, { headers: { 'content-security-policy': policy } })
    try {
      await page.goto(site.url)
      await page.waitFor(
        () => 'app' in globalThis || document.querySelector('[role=alert]') !== null,
      )
      return await ask(page, 'values')
    } finally {
      await site.close()
    }
  }
  assert.equal(await start(new URL(far.url).origin), values)
  assert.is(await start(new URL(url).origin), null)
})

test.run()
