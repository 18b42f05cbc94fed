import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { buildSigned, serveApp, type Reply, type TestSite } from '../support/app.ts'
import { attack, attacks } from '../support/attack.ts'
import type { Page } from '../support/browsers.ts'
import { ask } from '../support/fetch-app.ts'
import { glance, look } from '../support/visit.ts'

// JSON and CSS modules, under a map and linked in memory: as signed and as what they were asked for, or not at all: 67.

/** What a page must lack for each of them to check. */
const policies = { map: '', blob: `script-src 'self' blob:` } as const
type Enforcement = keyof typeof policies

let site: TestSite

attacks.before(async () => {
  const files = {
    'public/data.json': '{"text":"signed"}\n',
    'public/look.css': 'body { --look: signed }\n',
  }
  site = await serveApp(
    await buildSigned(await generateKey('ecdsa-p256'), { files, signed: { inline: false } }),
  )
})

attacks.after(() => site.close())

interface Kind {
  path: string
  type: string
  mime: string
  /** What its module says of it. */
  read: string
  evil: string
}

const kinds: Record<string, Kind> = {
  json: {
    path: 'data.json',
    type: 'json',
    mime: 'application/json',
    read: '.default.text',
    evil: '{"text":"evil"}',
  },
  css: {
    path: 'look.css',
    type: 'css',
    mime: 'text/css',
    read: ".default.cssRules[0].style.getPropertyValue('--look').trim()",
    evil: 'body { --look: evil }',
  },
}

async function start(page: Page, enforcement: Enforcement): Promise<void> {
  site.reset()
  const policy: string = policies[enforcement]
  const headers: Record<string, string> = policy ? { 'content-security-policy': policy } : {}
  site.reply('index.html', { type: 'text/html; charset=utf-8', headers })
  await page.goto(site.url)
  assert.is((await look(page)).alert, '')
  assert.is(await page.evaluate('__signedimp.enforcement'), enforcement)
}

const importing = ({ path, read }: Kind, type: string) =>
  `(await app.any('/${path}', { with: { type: '${type}' } }))${read}`

/** An engine without CSS modules takes no such attribute. */
const hasType = (page: Page, type: string): Promise<unknown> =>
  ask(page, `import('data:text/${type},', { with: { type: '${type}' } }).then(() => 1, () => 0)`)

/** What the server answers, and the code that the page is told. */
const replies: Record<string, (kind: Kind) => [Reply, code: string]> = {
  signed: () => [{}, ''],
  changed: ({ evil }) => [{ body: evil }, 'CHANGED'],
  'no such file': () => [{ status: 404 }, 'MISSING'],
  'a redirect': () => [
    { status: 302, headers: { location: '/assets/dep.js' }, body: '' },
    'CHANGED',
  ],
}

const variants = Object.keys(kinds).flatMap((kind) =>
  Object.keys(policies).flatMap((way) =>
    Object.keys(replies).map((reply) => `${kind}, ${way}, ${reply}`),
  ),
)

attack(67, 'a module of another type', { engines: 'all', variants }, async (page, _, variant) => {
  const [name, enforcement, way] = variant.split(', ') as [string, Enforcement, string]
  const kind = kinds[name]!
  await start(page, enforcement)
  const [reply, code] = replies[way]!(kind)
  if (code) site.reply(kind.path, { type: kind.mime, ...reply })
  const said = await ask(page, importing(kind, kind.type))
  if (kind.type === 'css' && !(await hasType(page, 'css'))) {
    assert.match(String(said), /^(TypeError|SyntaxError|ERR_SIGNEDIMP_\w+ look.css)$/)
    assert.is((await glance(page)).evil, 0)
    return 'ok this engine has no such modules'
  }
  assert.is(said, code ? `ERR_SIGNEDIMP_${code} ${kind.path}` : 'signed')
  // The policy forbids what notes them, too.
  if (enforcement === 'map') assert.equal((await glance(page)).refusals, code ? [said] : [])
  return code ? `refused ERR_SIGNEDIMP_${code}` : 'ok signed'
})

attack(
  67,
  'a module under another type than it was asked for',
  { engines: 'all', variants: Object.keys(policies) },
  async (page, _, enforcement) => {
    await start(page, enforcement as Enforcement)
    const script = `globalThis.__evil = 1`
    site.reply('data.json', { type: 'text/javascript', body: script })
    const { json } = kinds
    assert.match(String(await ask(page, `app.any('/data.json')`)), /^ERR_SIGNEDIMP_|Error$/)
    const refused = 'ERR_SIGNEDIMP_CHANGED data.json'
    assert.is(await ask(page, importing(json!, 'json')), refused)
    assert.match(String(await ask(page, importing(json!, 'css'))), /^ERR_SIGNEDIMP_|Error$/)
    assert.is((await glance(page)).evil, 0)
    return 'refused ERR_SIGNEDIMP_CHANGED'
  },
)

attacks.run()
