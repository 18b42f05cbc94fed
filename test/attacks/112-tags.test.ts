import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { evil, evilStatement } from '../../playground/tamper.ts'
import { generateKey } from '../../src/keys/generate.ts'
import { tagKey } from '../../src/manifest/linking.ts'
import { buildSigned, pageManifestOf, serveApp, type TestSite } from '../support/app.ts'
import { attack, attacks } from '../support/attack.ts'
import type { Page } from '../support/browsers.ts'
import { glance, look, open } from '../support/visit.ts'

// Where tags check modules: what a redirect makes of imports, what was loaded before, and what follows a refusal: 103, 104,
// 112.

let folder: string
let site: TestSite
let other: TestSite

attacks.before(async () => {
  const key = await generateKey('ed25519')
  folder = await buildSigned(key, { signed: { inline: false, tags: true } })
  site = await serveApp(folder)
  other = await serveApp(folder, { cors: true })
})

attacks.after(async () => {
  for (const each of [site, other]) await each.close()
})

const all = { engines: 'all' } as const
const chunk = 'assets/a.js'
const shared = 'assets/shared.js'
const honest = (path: string) => readFileSync(join(folder, path))
const evilShared = () => ({ body: evil(honest(shared), shared), type: 'text/javascript' })

/** Opens the app under a policy that leaves it tags only. */
async function start(page: Page, head = '', sources = `'self'`): Promise<string> {
  const body = honest('index.html').toString().replace('<head>', `<head>${head}`)
  const headers = { 'content-security-policy': `script-src ${sources}` }
  site.reply('index.html', { type: 'text/html; charset=utf-8', headers, body })
  await page.goto(site.url)
  const { alert } = await look(page)
  if (alert === '') assert.is(await page.evaluate('__signedimp.enforcement'), 'tags')
  return alert
}

function reset() {
  site.reset()
  other.reset()
}

const redirect = (location: string) => ({ status: 302, headers: { location }, body: '' })

attack(112, 'a redirect within the host', all, async (page) => {
  reset()
  site.reply(chunk, redirect('/evil/a.js'))
  site.reply('evil/a.js', { body: honest(chunk) })
  for (const path of ['evil/shared.js', 'evil/assets/shared.js']) site.reply(path, evilShared())
  assert.is(await start(page), '')
  assert.is(await open(page, 'a'), 'a café')
  assert.is((await glance(page)).evil, 0)
  return 'ok its imports mean the same'
})

attack(112, 'a redirect to another host', all, async (page) => {
  reset()
  site.reply(chunk, redirect(`${other.url}${chunk}`))
  other.reply(shared, evilShared())
  assert.is(await start(page), '')
  assert.is(await open(page, 'a'), `ERR_SIGNEDIMP_CHANGED ${chunk}`)
  assert.is((await glance(page)).evil, 0)
  return 'refused ERR_SIGNEDIMP_CHANGED'
})

attack(112, 'a redirect to another host that the policy allows', all, async (page) => {
  reset()
  site.reply(chunk, redirect(`${other.url}${chunk}`))
  other.reply(shared, evilShared())
  const alert = await start(page, '', `'self' ${new URL(other.url).origin}`)
  // Where the page starts all the same, the chunk brings the evil one.
  if (alert === '') await open(page, 'a')
  assert.is((await glance(page)).evil, 0)
  assert.is(alert, 'ERR_SIGNEDIMP_NOT_ENFORCEABLE scripts of other origins')
  return 'refused ERR_SIGNEDIMP_NOT_ENFORCEABLE'
})

attack(104, 'loaded before by a tag, unchecked', all, async (page) => {
  reset()
  site.tamper(shared, 'changed')
  assert.is(await start(page, `<script type="module" src="/${shared}"></script>`), '')
  assert.is(await open(page, 'a'), `ERR_SIGNEDIMP_CHANGED ${shared}`)
  // The page's own tag is part of the trust root.
  assert.equal([(await glance(page)).evil, (await glance(page)).ran.includes('a')], [1, false])
  return 'refused ERR_SIGNEDIMP_CHANGED'
})

// What is preloaded does not run, but Firefox loads what it imports, too.
attack(104, 'imported by what was preloaded', all, async (page) => {
  reset()
  site.reply('assets/solo.js', { body: `import '/${chunk}${tagKey}'` })
  site.reply(chunk, { body: `${evilStatement}export const text = 'evil'` })
  site.tamper(pageManifestOf(folder), 'slow', '300')
  const alert = await start(page, `<link rel="modulepreload" href="/assets/solo.js">`)
  // Where the page starts all the same, it takes that for the chunk.
  if (alert === '') await open(page, 'a')
  assert.equal([(await glance(page)).evil, (await glance(page)).ran], [0, []])
  assert.is(alert, 'ERR_SIGNEDIMP_NOT_ENFORCEABLE a modulepreload')
  return 'refused ERR_SIGNEDIMP_NOT_ENFORCEABLE'
})

attack(103, 'another import after a refusal', all, async (page) => {
  reset()
  site.tamper(shared, 'changed')
  assert.is(await start(page), '')
  for (const module of ['a', 'a', 'b'] as const)
    assert.is(await open(page, module), `ERR_SIGNEDIMP_CHANGED ${shared}`)
  site.tamper(shared, undefined)
  const last = await open(page, 'a')
  // Engines may keep a failure until the page is loaded again.
  assert.ok(['a café', `ERR_SIGNEDIMP_REFUSED ${shared}`].includes(last), last)
  assert.is((await glance(page)).evil, 0)
  return 'refused ERR_SIGNEDIMP_CHANGED'
})

attacks.run()
