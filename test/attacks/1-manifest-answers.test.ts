import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { evil } from '../../playground/tamper.ts'
import { generateKey } from '../../src/keys/generate.ts'
import { pageManifestOf, type AppBundler, type TestSite } from '../support/app.ts'
import { attack, attacks } from '../support/attack.ts'
import { edited, resigned } from '../support/forge.ts'
import { serveApps } from '../support/served-apps.ts'
import { glance, look, open, refuses } from '../support/visit.ts'

// What a server may answer to a page that asks for its manifest: 1-4, 35.

let folder: string
let site: TestSite
let name: string
let stored: Buffer

const apps = serveApps(await generateKey('ed25519'))

function turnTo(bundler: AppBundler) {
  ;[folder, site] = apps[bundler]
  name = pageManifestOf(folder)
  stored = readFileSync(join(folder, name))
}

const all = { engines: 'all', turnTo } as const

attack(1, 'no manifest', { ...all, variants: ['404', '500', 'dropped'] }, (page, _, variant) => {
  site.reset()
  const way = { '404': 'missing', '500': 'error', dropped: 'dropped' }[variant]!
  site.tamper(name, way as 'missing')
  const code = { '404': 'MISSING', '500': 'NETWORK', dropped: 'NETWORK' }[variant]
  return refuses(page, site, `ERR_SIGNEDIMP_${code}`)
})

attack(2, 'no manifest inside', { ...all, variants: ['empty', 'HTML'] }, (page, _, variant) => {
  site.reset()
  site.tamper(name, variant === 'empty' ? 'emptied' : 'html')
  return refuses(page, site, 'ERR_SIGNEDIMP_MANIFEST_INVALID')
})

const cuts = {
  'in the signature': [40, 'MANIFEST_INVALID'],
  'before the blank line': [-1, 'MANIFEST_INVALID'],
  'after the signature': [0, 'SIGNATURE'],
  'in the list': [100, 'SIGNATURE'],
  'last byte': [Infinity, 'SIGNATURE'],
} as const

attack(3, 'truncated', { ...all, variants: Object.keys(cuts) }, (page, _, variant) => {
  const [after, code] = cuts[variant as keyof typeof cuts]
  const blank = stored.indexOf('\n\n') + 2
  const end = variant === 'in the signature' ? after : Math.min(blank + after, stored.length - 1)
  site.reset()
  site.reply(name, { body: stored.subarray(0, end) })
  return refuses(page, site, `ERR_SIGNEDIMP_${code}`)
})

const strips = {
  'no signature line': [(text: string) => text.slice(text.indexOf('\n\n') + 1), 'SIGNATURE'],
  'nor a blank line': [(text: string) => text.slice(text.indexOf('\n\n') + 2), 'MANIFEST_INVALID'],
  'an empty line first': [(text: string) => `\n${text}`, 'SIGNATURE'],
} as const

attack(4, 'signatures stripped', { ...all, variants: Object.keys(strips) }, (page, _, variant) => {
  const [strip, code] = strips[variant as keyof typeof strips]
  site.reset()
  site.reply(name, { body: strip(stored.toString()) })
  return refuses(page, site, `ERR_SIGNEDIMP_${code}`)
})

attack(
  35,
  'another manifest for the second request',
  { ...all, variants: ['unsigned', 'signed by a stranger'] },
  async (page, _, variant) => {
    const chunk = evil(readFileSync(join(folder, 'assets/a.js')), 'a.js')
    const digest = createHash('sha256').update(chunk).digest('hex')
    const edit = (text: string) => text.replace(/^\w{64}(?= assets\/a\.js$)/m, digest)
    assert.is.not(edit(stored.toString()), stored.toString())
    const body =
      variant === 'unsigned'
        ? edited(stored, edit)
        : await resigned(stored, await generateKey('ed25519'), edit)
    site.reset()
    site.reply('assets/a.js', { body: chunk })
    site.reply('signedimp-manifest.txt', { body })
    site.reply(name, (request) => (request > 0 ? { body } : undefined))
    await page.goto(site.url)
    const { alert } = await look(page)
    // WebKit does not use its own preload, so that it verifies the second answer.
    if (alert !== '') {
      assert.match(alert, /^ERR_SIGNEDIMP_SIGNATURE /)
      assert.equal((await glance(page)).ran, [])
      return 'refused ERR_SIGNEDIMP_SIGNATURE'
    }
    assert.is(await open(page, 'a'), 'ERR_SIGNEDIMP_CHANGED assets/a.js')
    assert.is((await glance(page)).evil, 0)
    return 'refused ERR_SIGNEDIMP_CHANGED'
  },
)

attacks.run()
