import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { isAsked, serveApp, type Reply, type TestSite } from '../support/app.ts'
import { attack, attacks } from '../support/attack.ts'
import type { Page } from '../support/browsers.ts'
import { scratchFolder } from '../support/processes.ts'
import {
  buildStyles,
  evilStyle,
  heardOf,
  lookAt,
  openRoute,
  stylesApp,
  type ViteName,
} from '../support/styles-app.ts'

// What a server may answer to a page that asks for a stylesheet: 66. The helpers of Vite 5 to 7 are alike.

const vites = ['vite5', 'vite'] as const
const apps = {} as Record<ViteName, { folder: string; site: TestSite }>
let other: TestSite

attacks.before(async () => {
  other = await serveApp(scratchFolder(), { cors: true })
  const files = {
    ...stylesApp,
    'src/b.css': `@import '${other.url}late.css';\n#probe { --b: signed; background: url('/late.svg') }\n`,
    'public/late.svg': '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>\n',
  }
  const key = await generateKey('ecdsa-p256')
  for (const vite of vites) {
    const folder = await buildStyles(key, { vite }, files)
    apps[vite] = { folder, site: await serveApp(folder) }
  }
  for (const file of ['evil.css', 'late.css']) other.reply(file, css({ body: evilStyle }))
})

attacks.after(async () => {
  for (const { site } of Object.values(apps)) await site.close()
  await other.close()
})

const path = 'assets/a.css'
const css = (reply: Reply): Reply => ({ type: 'text/css', ...reply })
const redirect = (location: string): Reply => ({ status: 302, headers: { location }, body: '' })
const read = (folder: string, file: string) => readFileSync(join(folder, file))

/** What the server answers, and the code that the page is told. */
const ways: Record<string, (folder: string) => [Reply, code: string]> = {
  changed: () => [css({ body: evilStyle }), 'CHANGED'],
  'a rule more': (folder) => [css({ body: `${read(folder, path)}${evilStyle}` }), 'CHANGED'],
  'another sheet': (folder) => [css({ body: read(folder, 'assets/look.css') }), 'CHANGED'],
  empty: () => [css({ body: '' }), 'CHANGED'],
  'the first answer only': () => [css({ body: evilStyle }), 'REFUSED'],
  'a redirect': () => [redirect('/evil.css'), 'CHANGED'],
  'a redirect elsewhere': () => [redirect(`${other.url}evil.css`), 'CHANGED'],
  'no such file': () => [css({ status: 404, body: evilStyle }), 'MISSING'],
  'a page': () => [{ type: 'text/html', body: `<p>${evilStyle}` }, 'MISSING'],
  'an error': () => [css({ status: 503, body: evilStyle }), 'NETWORK'],
}

const variants = Object.keys(ways).flatMap((way) => vites.map((vite) => `${way}, ${vite}`))

attack(66, 'a stylesheet of a lazy chunk', { engines: 'all', variants }, async (page, _, name) => {
  const [way, vite] = name.split(', ') as [string, ViteName]
  const { folder, site } = apps[vite]
  const [reply, code] = ways[way]!(folder)
  site.reset()
  site.reply('evil.css', css({ body: evilStyle }))
  site.reply(path, (request) =>
    code === 'REFUSED' && reply.body && request > 0 ? undefined : reply,
  )
  await start(page, site)
  const refused = `ERR_SIGNEDIMP_${code} ${path}`
  assert.match(await openRoute(page, 'a'), 'Unable to preload CSS for')
  const heard = await heardOf(page, 2)
  assert.equal(
    heard.filter((text) => text.startsWith('ERR_')),
    [refused],
  )
  const { values } = await lookAt(page)
  assert.equal(Object.keys(values), ['look', 'shared', 'last'])
  assert.is(await page.evaluate('globalThis.ran'), undefined)
  return `refused ERR_SIGNEDIMP_${code}`
})

const start = async (page: Page, site: TestSite) => {
  await page.goto(site.url)
  await page.waitFor(() => 'app' in globalThis)
}

const addresses: Record<string, (site: TestSite) => string> = {
  'a file that is not listed': () => '/evil.css',
  'another origin': () => `${other.url}evil.css`,
  'a base that the page has not': () => '/assets/../evil.css',
  'data of a user': () => `data:text/css,${encodeURIComponent(evilStyle)}`,
  'the name of a prototype': () => '/__proto__',
  'no address': () => 'http://[',
}

attack(
  66,
  'an unlisted stylesheet',
  { engines: 'all', variants: Object.keys(addresses) },
  async (page, _, name) => {
    const { site } = apps.vite
    site.reset()
    for (const file of ['evil.css', '__proto__']) site.reply(file, css({ body: evilStyle }))
    await start(page, site)
    const ended = await page.evaluate(
      `new Promise((settle) => {
      const link = document.createElement('link')
      link.rel = 'stylesheet'
      link.href = ${JSON.stringify(addresses[name]!(site))}
      link.onload = link.onerror = ({ type }) => settle(type)
      if (__signedimp.link(link) !== link) settle('another link')
      if (!link.sheet && link.href === 'http://[') settle('error')
    })`,
    )
    assert.is(ended, 'error')
    assert.equal(Object.keys((await lookAt(page)).values), ['look', 'last'])
    if (name === 'no address') return 'ok nothing was asked for'
    assert.match((await heardOf(page, 1))[0]!, /^ERR_SIGNEDIMP_UNLISTED /)
    return 'refused ERR_SIGNEDIMP_UNLISTED'
  },
)

const types = ['text/plain', 'text/css; charset=utf-16']

attack(
  66,
  'a signed stylesheet by another name',
  { engines: 'all', variants: types },
  async (page, _, type) => {
    const { site } = apps.vite
    site.reset()
    site.reply(path, { type })
    await start(page, site)
    const opened = await openRoute(page, 'a')
    assert.equal(Object.keys((await lookAt(page)).values), ['look', 'shared', 'last'])
    if (opened === 'a')
      return 'documented limit: what a host calls a stylesheet can make it an empty one'
    assert.is(
      (await heardOf(page, 2)).filter((text) => text === `ERR_SIGNEDIMP_REFUSED ${path}`).length,
      1,
    )
    return 'refused ERR_SIGNEDIMP_REFUSED'
  },
)

attack(66, 'what a stylesheet loads', { engines: 'all' }, async (page) => {
  const { site } = apps.vite
  site.reset()
  await start(page, site)
  assert.is(await openRoute(page, 'b'), 'b')
  await page.waitFor(`getComputedStyle(probe).getPropertyValue('--evil') !== ''`)
  await isAsked(site, 'late.svg')
  return 'documented limit: browsers cannot check what a stylesheet loads by @import or url()'
})

attacks.run()
