import { createHash } from 'node:crypto'
import * as assert from 'uvu/assert'
import { evil } from '../../playground/tamper.ts'
import { attack, attacks } from '../support/attack.ts'
import type { Page } from '../support/browsers.ts'
import {
  everyRow,
  nothingEvil,
  rowOf,
  serveEnforced,
  startsWithout,
  type Enforcement,
} from '../support/enforced.ts'
import { glance, open, openAny } from '../support/visit.ts'

// What a page may hold already, and what code in it can do, where no import map checks: modules that are linked in
// memory, and tags. 50-55. Under a map the same is tried elsewhere.

const app = serveEnforced()
const eachLeft = ['blob', 'tags'] as const
const all = { engines: 'all', variants: eachLeft } as const
const file = 'assets/a.js'
const shared = 'assets/shared.js'
const forever = { 'cache-control': 'public, max-age=31536000' }

async function starts(page: Page, left: string, script = ''): Promise<void> {
  assert.is(await app.start(page, left as Enforcement, { script }), '')
}

attack(
  50,
  'without a map, copy that is altered after the first visit',
  all,
  async (page, _, left) => {
    app.site.reply(file, { headers: forever })
    await starts(page, left)
    assert.is(await open(page, 'a'), 'a café')
    app.site.reply(file, { headers: forever, body: evil(app.honest(file), file) })
    await starts(page, left)
    const said = await open(page, 'a')
    assert.is((await glance(page)).evil, 0)
    assert.ok(['a café', `ERR_SIGNEDIMP_CHANGED ${file}`].includes(said), said)
    return said === 'a café' ? 'ok only the signed bytes ran' : `refused ${said.split(' ')[0]}`
  },
)

attack(51, 'without a map, many imports at once', all, async (page, _, left) => {
  app.site.tamper(shared, 'slow', '200')
  await starts(page, left)
  const same = `Promise.all([app.a(), app.b(), app.a(), app.any('./a.js')])
    .then(([a, , again, any]) => a === again && a === any)`
  assert.is(await page.evaluate(same), true)
  assert.equal((await glance(page)).ran.sort(), ['a', 'b', 'dep', 'index', 'shared'])
  return 'ok each module runs once'
})

attack(
  51,
  'without a map, many imports of an altered chunk at once',
  all,
  async (page, _, left) => {
    app.site.tamper(shared, 'changed')
    await starts(page, left)
    const codes = await page.evaluate(`Promise.all([app.a(), app.b(), app.a()]
    .map((opened) => opened.catch(({ code, path }) => code + ' ' + path)))`)
    assert.equal(codes, Array(3).fill(`ERR_SIGNEDIMP_CHANGED ${shared}`))
    await nothingEvil(page, 'a', 'b', 'shared')
    return 'refused ERR_SIGNEDIMP_CHANGED'
  },
)

const retries = { 'still altered': true, 'honest by now': false }

attack(51, 'without a map, retry', everyRow(retries), async (page, _, variant) => {
  const [left, row] = rowOf(variant)
  app.site.tamper(file, 'changed')
  await starts(page, left)
  assert.is(await open(page, 'a'), `ERR_SIGNEDIMP_CHANGED ${file}`)
  if (row === 'honest by now') app.site.tamper(file, undefined)
  const again = await open(page, 'a')
  assert.is((await glance(page)).evil, 0)
  if (row === 'still altered') assert.is(again, `ERR_SIGNEDIMP_CHANGED ${file}`)
  // An engine may keep the failure of a tag until the page is loaded again.
  else
    assert.ok(
      ['a café', ...(left === 'tags' ? [`ERR_SIGNEDIMP_REFUSED ${file}`] : [])].includes(again),
      again,
    )
  return again === 'a café'
    ? 'ok it is fetched and checked again'
    : `refused ${again.split(' ')[0]}`
})

const evilRegistry = `{ import: () => { globalThis.__evil = 1; return { text: 'evil' } }, meta: () => ({}), manifest: {} }`
const registries: Record<string, [script: string, code?: string]> = {
  'assigned before': [`globalThis.__signedimp = ${evilRegistry}`],
  'frozen before': [
    `Object.defineProperty(globalThis, '__signedimp', { value: ${evilRegistry} })`,
    'NOT_ENFORCEABLE',
  ],
  'getter before': [
    `Object.defineProperty(globalThis, '__signedimp', { get: () => (${evilRegistry}) })`,
    'NOT_ENFORCEABLE',
  ],
}

attack(52, 'without a map, the registry', everyRow(registries), async (page, _, variant) => {
  const [left, row] = rowOf(variant)
  const [script, code] = registries[row]!
  app.site.tamper(file, 'changed')
  if (code === undefined) return startsWithout(app, page, left, 'a', 'CHANGED', { script })
  const alert = await app.start(page, left, { script })
  assert.is(alert.split(' ')[0], `ERR_SIGNEDIMP_${code}`)
  return `refused ERR_SIGNEDIMP_${code}`
})

/** What code that runs in the page can break, or make lie, after the start. */
const patches: Record<string, string> = {
  'crypto.subtle': `SubtleCrypto.prototype.digest = async () => new ArrayBuffer(32); SubtleCrypto.prototype.verify = async () => true`,
  fetch: `globalThis.fetch = async () => new Response('globalThis.__evil = 1')`,
  'Response.prototype': `Response.prototype.arrayBuffer = async () => new ArrayBuffer(0); Object.defineProperty(Response.prototype, 'ok', { get: () => true })`,
  URL: `globalThis.URL = class { href = '/unlisted.js' }`,
  'Map.prototype and Set.prototype': `Map.prototype.get = () => 'assets/a.js'; Map.prototype.has = Set.prototype.has = () => true`,
  'Promise.prototype.then': `{ const then = Promise.prototype.then; Promise.prototype.then = function (f) { return then.call(this, f, f) } }`,
  'addEventListener and onload': `EventTarget.prototype.addEventListener = function (type, hear) { setTimeout(() => (hear.handleEvent ?? hear)({ type: 'load' })) }`,
}

attack(
  53,
  'without a map, built-ins replaced after the start',
  everyRow(patches),
  async (page, _, variant) => {
    const [left, row] = rowOf(variant)
    for (const path of [file, shared]) app.site.tamper(path, 'changed')
    await starts(page, left, `globalThis.spoil = () => { ${patches[row]} }`)
    const said = await page.evaluate(`new Promise((settle) => {
    setTimeout(settle, 3000, 'nothing')
    spoil()
    ;(async () => {
      try {
        await app.a()
        settle('ran')
      } catch (error) {
        settle(error?.code || 'another error')
      }
    })()
  })`)
    assert.equal(await page.evaluate('[globalThis.__evil ?? 0, ran.join()]'), [0, 'dep,index'])
    return String(said).startsWith('ERR_')
      ? `refused ${said}`
      : 'ok nothing of it runs, whatever the page makes of that'
  },
)

const members = 'integrity hash then get credentials cache method signal value code path name'
const polluted = Object.fromEntries(members.split(' ').map((name) => [name, true]))

attack(
  54,
  'without a map, Object.prototype polluted before the bootstrap',
  everyRow(polluted),
  async (page, _, variant) => {
    const [left, member] = rowOf(variant)
    app.site.tamper(file, 'changed')
    const script = `Object.prototype.${member} = 'no-cors'`
    const alert = await app.start(page, left, { script, patience: 3000 })
    // Where the page starts, nobody may be able to find out what is wrong with the chunk.
    const said = alert === '' ? await open(page, 'a') : alert
    assert.match(said, /^ERR_SIGNEDIMP_/)
    await nothingEvil(page, 'a')
    return `refused ${said.split(' ')[0]}`
  },
)

/** Everything of ours that code in the page can reach. */
const mutations = {
  'the manifest': `for (const path of [...__signedimp.manifest.files.keys()]) __signedimp.manifest.files.set(path, '0'.repeat(64))
    __signedimp.manifest.files.set('unlisted.js', '0'.repeat(64))
    __signedimp.manifest.imports.clear()`,
  'an import map': `{
    const map = document.createElement('script')
    map.type = 'importmap'
    const url = new URL('/assets/a.js', location.href).href
    map.textContent = JSON.stringify({ imports: { [url]: '/unlisted.js' }, integrity: { [url]: '' } })
    document.head.append(map)
  }`,
}

attack(
  55,
  'without a map, tables changed after the start',
  everyRow(mutations),
  async (page, _, variant) => {
    const [left, row] = rowOf(variant)
    app.site.reply('unlisted.js', { body: evil(app.honest(file), file) })
    app.site.tamper(file, 'changed')
    await starts(
      page,
      left,
      `globalThis.spoil = () => { ${mutations[row as keyof typeof mutations]} }`,
    )
    await page.evaluate('spoil()')
    const said = await open(page, 'a')
    assert.match(said, /^ERR_SIGNEDIMP_/)
    // Of what is linked in memory, entries without HTML have the same runtime, and those may add to the list.
    assert.match(await openAny(page, '/unlisted.js'), /^ERR_SIGNEDIMP_(UNLISTED|VERSION_SKEW) /)
    await nothingEvil(page, 'a')
    return `refused ${said.split(' ')[0]}`
  },
)

attack(
  55,
  'a hash changed after the start, to that of altered bytes',
  { engines: 'all', variants: ['map', ...eachLeft] },
  async (page, _, variant) => {
    const body = evil(app.honest(file), file)
    app.site.reply(file, { body })
    await starts(page, variant)
    const hash = createHash('sha256').update(body).digest('hex')
    await page.evaluate(`__signedimp.manifest.files.set('${file}', '${hash}')`)
    // What a browser refuses for good under a map is linked in memory the next time.
    const first = await open(page, 'a')
    const said = first.startsWith('ERR_') ? await open(page, 'a') : first
    if (said.startsWith('ERR_')) {
      await nothingEvil(page, 'a')
      return `refused ${said.split(' ')[0]}`
    }
    if (variant === 'map') assert.match(first, /^ERR_SIGNEDIMP_/, 'the browser checks by its map')
    return 'documented limit: code that already runs can talk our own check, not the browser, out of its list'
  },
)

attacks.run()
