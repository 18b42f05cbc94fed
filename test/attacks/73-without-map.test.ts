import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { buildSigned, serveApp, type TestSite } from '../support/app.ts'
import { attack, attacks } from '../support/attack.ts'
import type { EngineName, Page } from '../support/browsers.ts'
import { glance, look, open } from '../support/visit.ts'

// Engines that lack what an import map needs: 73, 96, 104. Each feature is taken away, and a chunk is changed on its way.
// What then happens is another enforcement, or a refusal; the unchanged app runs wherever there is an enforcement. These
// are simulations in the engines of today: no older one was run.

/** What a page has left to check with: `blob`, `tags`, or nothing. */
const rest = {
  blob: { signed: {}, policy: '' },
  tags: { signed: { inline: false, tags: true }, policy: `script-src 'self'` },
  nothing: { signed: { inline: false }, policy: `script-src 'self'` },
} as const
type Rest = keyof typeof rest

/** How something is taken away. */
interface Lack {
  /** HTML in front of everything in the page's head. */
  head?: string
  /** A script there, which policies allow: what an engine does not have. */
  script?: string
  /** The policy where blobs are to do. */
  policy?: string
  /** What may check, where blobs are to do: `blob` where nothing else is said. */
  may?: (engine: EngineName) => string[]
  /** Whether tags refuse, too. */
  refusesTags?: true
}

const inFirefox = (engine: EngineName) => (engine === 'firefox' ? ['blob'] : ['map', 'blob'])

const noMaps = `{
  const { get, set } = Object.getOwnPropertyDescriptor(HTMLScriptElement.prototype, 'text')
  Object.defineProperty(HTMLScriptElement.prototype, 'text', {
    get,
    set(value) { set.call(this, this.type === 'importmap' ? '{}' : value) },
  })
}`

const lacks: Record<string, Lack> = {
  'no import.meta.resolve': {
    script: `{
      const { set } = Reflect
      Reflect.set = (target, name, value) =>
        set(target, name, target === self ? () => value(() => { throw new TypeError('import.meta.resolve is not a function') }) : value)
    }`,
  },
  'a policy without inline maps': { policy: `script-src 'self' 'unsafe-hashes' blob: BOOTSTRAP` },
  'a module script before': {
    head: '<script type="module" src="/other.js"></script>',
    may: inFirefox,
  },
  'a modulepreload before': {
    head: '<link rel="modulepreload" href="/assets/dep.js">',
    may: inFirefox,
    refusesTags: true,
  },
  'a map before': {
    head: '<script type="importmap">{"imports":{"none":"/none.js"}}</script>',
    refusesTags: true,
  },
  'no integrity in maps': {
    script: `{
      const { stringify } = JSON
      JSON.stringify = (value) => stringify(value.integrity ? { imports: value.imports } : value)
    }`,
  },
  'no maps': { script: noMaps },
  'no Trusted Types': {
    script: `Object.defineProperty(self, 'trustedTypes', { value: undefined })`,
    may: () => ['map'],
  },
  'neither maps nor URLs of blobs': {
    script: `${noMaps}
    URL.createObjectURL = () => { throw new TypeError('no blobs') }`,
    may: () => ['nothing'],
  },
}

const enforcements = ['map', 'blob', 'tags']
const targets = ['assets/a.js', 'assets/shared.js', 'assets/dep.js']

/** Where nothing is left, what else is lacking matters little. */
const isTried = (lack: Lack, left: Rest) => left !== 'nothing' || !lack.may

const cells = Object.entries(lacks).flatMap(([lack, how]) =>
  (Object.keys(rest) as Rest[])
    .filter((left) => isTried(how, left))
    .map((left) => ({ lack, left })),
)
const titleOf = ({ lack, left }: (typeof cells)[number]) => `${lack}, ${left} left`

const folders = {} as Record<Rest, string>
const sites = {} as Record<Rest, TestSite>

attacks.before(async () => {
  const key = await generateKey('ed25519')
  for (const left of Object.keys(rest) as Rest[]) {
    folders[left] = await buildSigned(key, { signed: rest[left].signed })
    sites[left] = await serveApp(folders[left])
  }
})

attacks.after(async () => {
  for (const site of Object.values(sites)) await site.close()
})

/** Serves the page to an engine that lacks something. */
function serveTo(left: Rest, { head = '', script = '', policy = '' }: Lack): void {
  const site = sites[left]
  site.reset()
  site.reply('other.js', { body: 'globalThis.other = 1' })
  site.reply('old.js', { body: script })
  const html = readFileSync(join(folders[left], 'index.html'), 'utf8')
  const body = html.replace('<head>', `<head><script src="/old.js"></script>${head}`)
  const [, bootstrap] = /<script data-manifest=[^>]*>([^]*?)<\/script>/.exec(html) ?? []
  const value = (rest[left].policy || policy).replace(
    'BOOTSTRAP',
    () => `'${sha256(bootstrap ?? '')}'`,
  )
  const headers: Record<string, string> = value ? { 'content-security-policy': value } : {}
  site.reply('index.html', { type: 'text/html; charset=utf-8', headers, body })
}

const sha256 = (text: string): string =>
  `sha256-${createHash('sha256').update(text).digest('base64')}`

/** By what the page may check, in an engine that lacks something. */
function allowed(engine: EngineName, { lack, left }: (typeof cells)[number]): string[] {
  const { may = () => ['blob'], refusesTags } = lacks[lack]!
  if (left === 'blob') return may(engine)
  return [left === 'tags' && !refusesTags ? 'tags' : 'nothing']
}

/** Opens the app. @returns what checks it, or `nothing` where it refuses to start */
async function visit(page: Page, site: TestSite): Promise<string> {
  await page.goto(site.url)
  const { alert, ran } = await look(page)
  if (alert === '') return String(await page.evaluate('__signedimp.enforcement'))
  assert.match(alert, /^ERR_SIGNEDIMP_/)
  assert.equal(ran, [])
  return /NOT_ENFORCEABLE/.test(alert) ? 'nothing' : alert
}

attack(
  73,
  'without an import map',
  { engines: 'all', variants: cells.map(titleOf) },
  async (page, { name }, variant) => {
    const at = cells.findIndex((cell) => titleOf(cell) === variant)
    const { lack, left } = cells[at]!
    const wanted = allowed(name, cells[at]!)
    serveTo(left, lacks[lack]!)
    const target = targets[(at + Math.floor(at / targets.length)) % targets.length]!
    // First, for a cache may hold what is honest.
    sites[left].tamper(target, 'changed')
    const started = await visit(page, sites[left])
    const said = enforcements.includes(started) ? await open(page, 'a') : started
    assert.is((await glance(page)).evil, 0)

    sites[left].tamper(target, undefined)
    const honest = await visit(page, sites[left])
    assert.ok(wanted.includes(honest), `${honest}, not ${wanted}`)
    if (honest === 'nothing') return 'refused ERR_SIGNEDIMP_NOT_ENFORCEABLE'
    assert.is(await open(page, 'a'), 'a café')
    assert.ok(said.includes(`ERR_SIGNEDIMP_CHANGED ${target}`), said)
    return 'refused ERR_SIGNEDIMP_CHANGED'
  },
)

const ownFile = (left: Rest, stem: string): string =>
  readdirSync(folders[left]).find((file) => file.startsWith(`signedimp-${stem}-`))!

for (const left of ['blob', 'tags'] as const)
  attack(73, `without an import map, and ${left} changed`, { engines: 'all' }, async (page) => {
    serveTo(left, lacks['no maps']!)
    sites[left].tamper(ownFile(left, left), 'changed')
    await page.goto(sites[left].url)
    const { alert, evil, ran } = await look(page)
    const code = left === 'blob' ? 'ERR_SIGNEDIMP_REFUSED' : 'ERR_SIGNEDIMP_NOT_ENFORCEABLE'
    assert.equal([alert.split(' ')[0], evil, ran], [code, 0, []])
    return `refused ${code}`
  })

attacks.run()
