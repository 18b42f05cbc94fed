import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { buildSigned, serveApp, type TestSite } from '../support/app.ts'
import { inEngines, type Page } from '../support/browsers.ts'
import { handWritten, heads, serveEntries, tagOf } from '../support/entry-app.ts'
import { kinds, type Kind } from '../support/policies.ts'
import { atOutside, outside } from '../support/outside.ts'
import { skip } from '../support/skip.ts'
import { glance, look, open } from '../support/visit.ts'

// The option `pure`: pages from plain http, where browsers give no cryptography.

const all = Object.keys(kinds) as Kind[]
const sites: Partial<Record<Kind | 'entries', TestSite>> = {}
let inlineFolder = ''

test.before(async () => {
  const key = await generateKey('rsa-pss')
  for (const kind of all) {
    const hash = kind === 'linked' ? 'sha512' : 'sha256'
    const signed = { pure: true, inline: kinds[kind], hash } as const
    const folder = await buildSigned(key, { signed })
    if (kind === 'inline') inlineFolder = folder
    sites[kind] = await serveApp(folder)
  }
  sites.entries = await serveEntries(key, { signed: { pure: true } })
})

test.after(async () => {
  for (const site of Object.values(sites)) await site.close()
})

/** Opens a page of a site at an address where it is in no secure context, and works there. */
const outsideOf = (site: TestSite, path: string, page: Page, work: () => Promise<unknown>) =>
  atOutside(site.url, async (url) => {
    await page.goto(url + path)
    const context = await page.evaluate('[isSecureContext, typeof crypto.subtle]')
    assert.equal(context, [false, 'undefined'])
    await work()
  })

const siteOf = (name: keyof typeof sites): TestSite => {
  const site = sites[name]!
  site.reset()
  return site
}

/** What somebody else than the key's owner makes of the manifest, and what becomes of it. */
const forgeries: [string, (stored: string) => string][] = [
  ['signed text', (stored) => stored.replace(/(?<=\n# name: )./, '0')],
  ['signature', (stored) => stored.replace(/(?<=^.{200})./, (char) => (char === 'A' ? 'B' : 'A'))],
]

const manifestIn = (folder: string): string =>
  readdirSync(folder).find((name) => /^signedimp-manifest\.[0-9a-f]+\.txt$/.test(name))!

if (outside === undefined) skip(test, 'pure', 'this machine has no address but the loopback')
else {
  for (const kind of all)
    inEngines(test, `${kind}: runs, and refuses a changed chunk`, async (page) => {
      const site = siteOf(kind)
      site.tamper('assets/a.js', 'changed')
      await outsideOf(site, '', page, async () => {
        assert.is((await look(page)).alert, '')
        assert.is(await open(page, 'a'), 'ERR_SIGNEDIMP_CHANGED assets/a.js')
        assert.is(await open(page, 'b'), 'b café')
        const { evil, ran } = await glance(page)
        assert.equal([evil, ran], [0, ['dep', 'index', 'shared', 'b']])
      })
    })

  for (const [what, forge] of forgeries)
    inEngines(test, `a changed ${what}: refused`, async (page) => {
      const site = siteOf('inline')
      const path = manifestIn(inlineFolder)
      const stored = readFileSync(join(inlineFolder, path), 'utf8')
      assert.is.not(forge(stored), stored)
      site.reply(path, { body: forge(stored) })
      await outsideOf(site, '', page, async () => {
        const { alert, ran } = await look(page)
        assert.match(alert, /^ERR_SIGNEDIMP_SIGNATURE /)
        assert.equal(ran, [])
      })
    })

  for (const [how, head] of Object.entries(heads))
    inEngines(
      test,
      `an entry without HTML, ${how}: runs, and refuses a changed chunk`,
      async (page) => {
        const site = siteOf('entries')
        site.reply('hand.html', handWritten(tagOf('main.js'), head))
        site.tamper('deep/lazy.js', 'changed')
        await outsideOf(site, 'hand.html', page, async () => {
          await look(page)
          assert.is((await glance(page)).alert, '')
          const lazy = await page.evaluate(
            `app.lazy().then(({ text }) => text, ({ code, path }) => code + ' ' + path)`,
          )
          assert.is(lazy, 'ERR_SIGNEDIMP_CHANGED deep/lazy.js')
          assert.is((await glance(page)).evil, 0)
        })
      },
    )
}

// The same files where the engine has cryptography: it is what works there.
inEngines(test, 'a secure context: by the engine', async (page) => {
  const site = siteOf('inline')
  await page.goto(site.url)
  assert.is((await look(page)).alert, '')
  assert.is(await page.evaluate(`String(__signedimp.verifier.digest).includes('subtle')`), true)
  assert.is(await open(page, 'a'), 'a café')
})

test.run()
