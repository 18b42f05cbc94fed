import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { serveApp, type AppBundler, type Reply, type TestSite } from '../support/app.ts'
import { attack, attacks } from '../support/attack.ts'
import type { Page } from '../support/browsers.ts'
import { scratchFolder } from '../support/processes.ts'
import { glance, look } from '../support/visit.ts'
import {
  begin,
  buildWorkers,
  buildWorkersByEsbuild,
  eventsOf,
  nest,
  say,
} from '../support/workers-app.ts'

// What a server may answer to a worker, and to a page that starts one: 64, 37 and 105.

const folders = {} as Record<AppBundler, string>
const sites = {} as Record<AppBundler, TestSite>
let other: TestSite
let site: TestSite
let folder: string

attacks.before(async () => {
  const key = await generateKey('ecdsa-p256')
  folders.vite = await buildWorkers(key)
  folders.esbuild = await buildWorkersByEsbuild(key)
  for (const bundler of ['vite', 'esbuild'] as const)
    sites[bundler] = await serveApp(folders[bundler])
  other = await serveApp(scratchFolder(), { cors: true })
})

attacks.after(async () => {
  for (const each of [...Object.values(sites), other]) await each.close()
})

const turnTo = (bundler: AppBundler) => {
  site = sites[bundler]
  folder = folders[bundler]
  site.reset()
  for (const one of [site, other]) one.reply('evil.js', { body: evil })
}

/** Says that it ran, in whatever it runs. */
const evil = `postMessage('EVIL');self.onmessage=()=>postMessage('EVIL');export{}`.replace(
  'export{}',
  '',
)

/** Starts what waits for nobody. */
async function open(page: Page): Promise<void> {
  await page.goto(site.url)
  assert.is((await look(page)).alert, '')
}

/** Where code of a worker is that is attacked, and what loads it. */
const places = {
  'the script': ['assets/module.js', 'module', undefined],
  'a static import': ['worker-dep', 'module', undefined],
  'a lazy chunk': ['assets/worker-lazy.js', 'module', 'lazy'],
  'a worker in a worker': ['assets/nested.js', 'module', 'nested'],
} as const
type Place = keyof typeof places

/** esbuild names what several share by a hash. */
const pathOf = (place: Place): string => {
  const [path] = places[place]
  if (path !== 'worker-dep') return path
  const [, found] = /from\s*"[^"]*\/([^"/]+)"/.exec(
    readFileSync(join(folder, 'assets/module.js'), 'utf8'),
  )!
  return join('assets', found!)
}

/** What the server answers, and how the page calls that. */
const answers: Record<
  string,
  (path: string) => [reply: Reply | ((request: number) => Reply | undefined), code: string]
> = {
  'other bytes': () => [{ body: evil }, 'CHANGED'],
  'a statement more': (path) => [
    { body: `${evil};${readFileSync(join(folder, path), 'utf8')}` },
    'CHANGED',
  ],
  'one bit': (path) => [{ body: flip(readFileSync(join(folder, path))) }, 'CHANGED'],
  'another signed file': () => [{ body: readFileSync(join(folder, 'assets/order.js')) }, 'CHANGED'],
  'a redirect': () => [{ status: 302, headers: { location: '/evil.js' }, body: '' }, 'CHANGED'],
  'a redirect elsewhere': () => [
    { status: 302, headers: { location: `${other.url}evil.js` }, body: '' },
    'CHANGED',
  ],
  'no such file': () => [{ status: 404, body: evil }, 'MISSING'],
  'an error': () => [{ status: 500, body: evil }, 'NETWORK'],
}

function flip(bytes: Buffer): Buffer {
  const other = Buffer.from(bytes)
  other[Math.floor(other.length / 2)]! ^= 1
  return other
}

const variants = Object.keys(places).flatMap((place) =>
  Object.keys(answers).map((answer) => `${place}: ${answer}`),
)

attack(64, 'code of a worker', { engines: 'all', variants, turnTo }, async (page, _, variant) => {
  const [place, answer] = variant.split(': ') as [Place, string]
  const path = pathOf(place)
  const [reply, code] = answers[answer]!(path)
  site.reply(path, reply)
  await open(page)
  const [, name, ask] = places[place]
  assert.is(await begin(page, name), '')
  const heard =
    ask === 'nested'
      ? await nest(page)
      : ask
        ? await say(page, name, ask)
        : (await eventsOf(page, 1))[0]
  const refused = `ERR_SIGNEDIMP_${code} ${path}`
  assert.match(`${heard}`, refused)
  await refusedOnce(page, refused)
  // What is honest runs beside it.
  await begin(page, 'order')
  return `refused ERR_SIGNEDIMP_${code}`
})

/** A refusal was told once, and nothing of the attacker's ran. */
async function refusedOnce(page: Page, refused: string): Promise<void> {
  await page.waitFor(`refusals.length > 0`)
  await new Promise((settle) => setTimeout(settle, 200))
  assert.equal((await glance(page)).refusals, [refused])
  const events = await eventsOf(page)
  assert.not.ok(
    events.some((event) => `${event}`.includes('EVIL')),
    `${events}`,
  )
}

/** A server that tells requests apart: what is checked is what runs, for nothing is asked for twice. */
const tellers: Record<string, Record<string, string>> = {
  'no-store': { 'cache-control': 'no-store' },
  'Vary: Sec-Fetch-Dest': { 'cache-control': 'max-age=1000', vary: 'sec-fetch-dest' },
  'no-cache': { 'cache-control': 'no-cache', etag: '"1"' },
}

attack(
  37,
  'the first answer of a worker is honest, the later ones are not',
  { engines: 'all', variants: Object.keys(tellers), turnTo },
  async (page, _, variant) => {
    const headers = tellers[variant]!
    site.reply('assets/module.js', (request) =>
      request === 0 ? { headers } : { headers, body: evil },
    )
    await open(page)
    await page.waitFor(() =>
      performance.getEntriesByType('resource').some(({ name }) => name.endsWith('/module.js')),
    )
    await new Promise((settle) => setTimeout(settle, 300))
    await begin(page, 'module')
    assert.is(await say(page, 'module', 'hello'), 'module dep café m')
    const asked = site.requests.filter((request) => request.path === 'assets/module.js')
    assert.is(asked.length, 1)
    return 'ok only the signed bytes ran'
  },
)

const scripts: Record<string, () => string> = {
  'a file that is not listed': () => '/evil.js',
  'another origin': () => `${other.url}evil.js`,
  'above the base': () => '/assets/../evil.js',
  'a listed name in another case': () => '/assets/MODULE.js',
  'an escaped name': () => '/assets/%6dodule.js',
  'the name of a prototype': () => '/__proto__',
}

attack(
  64,
  'an unlisted worker',
  { engines: 'all', variants: Object.keys(scripts), turnTo },
  async (page, _, variant) => {
    const script = scripts[variant]!()
    for (const path of ['assets/MODULE.js', '__proto__']) site.reply(path, { body: evil })
    await open(page)
    const href = new URL(script, site.url).href
    assert.is(await begin(page, 'any', script), `ERR_SIGNEDIMP_UNLISTED ${href}`)
    await refusedOnce(page, `ERR_SIGNEDIMP_UNLISTED ${href}`)
    return 'refused ERR_SIGNEDIMP_UNLISTED'
  },
)

/** What a worker does by itself. */
const asks: Record<string, [ask: string, name: string, path: string]> = {
  'import()': ['unlisted', 'module', '/evil.js'],
  'new Worker()': ['nested unlisted', 'module', 'evil.js'],
  'importScripts()': ['other script', 'classic', 'evil.js'],
}

attack(
  64,
  'a worker loads what is not listed',
  { engines: 'all', variants: Object.keys(asks) },
  async (page, _, variant) => {
    turnTo('vite')
    const [ask, name, path] = asks[variant]!
    await open(page)
    await begin(page, name)
    const refused = `ERR_SIGNEDIMP_UNLISTED ${path.startsWith('/') ? path : site.url + path}`
    assert.is(await say(page, name, ask), refused)
    await refusedOnce(page, refused)
    return 'refused ERR_SIGNEDIMP_UNLISTED'
  },
)

const imported: Record<string, [Reply, code: string]> = {
  'other bytes': [{ body: `self.lib='EVIL'` }, 'CHANGED'],
  'no such file': [{ status: 404, body: `self.lib='EVIL'` }, 'MISSING'],
  'an error': [{ status: 503, body: `self.lib='EVIL'` }, 'NETWORK'],
  'a redirect': [{ status: 302, headers: { location: '/moved.js' }, body: '' }, 'CHANGED'],
}

attack(
  64,
  'what importScripts runs',
  { engines: 'all', variants: Object.keys(imported) },
  async (page, _, variant) => {
    turnTo('vite')
    const [reply, code] = imported[variant]!
    site.reply('lib.js', reply)
    site.reply('moved.js', { body: readFileSync(join(folder, 'lib.js')) })
    await open(page)
    await begin(page, 'classic')
    assert.is(await say(page, 'classic', 'script'), `ERR_SIGNEDIMP_${code} lib.js`)
    await refusedOnce(page, `ERR_SIGNEDIMP_${code} lib.js`)
    return `refused ERR_SIGNEDIMP_${code}`
  },
)

attack(105, "no map of the page's holds in a worker", { engines: 'all', turnTo }, async (page) => {
  await open(page)
  await begin(page, 'module')
  site.reply('assets/worker-lazy.js', { body: `export const text='EVIL'` })
  assert.is(await say(page, 'module', 'lazy'), 'ERR_SIGNEDIMP_CHANGED assets/worker-lazy.js')
  await refusedOnce(page, 'ERR_SIGNEDIMP_CHANGED assets/worker-lazy.js')
  return 'refused ERR_SIGNEDIMP_CHANGED'
})

attacks.run()
