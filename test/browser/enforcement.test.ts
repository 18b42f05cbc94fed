import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import type { SignedImpOptions } from '../../src/plugin/options.ts'
import { buildSigned, serveApp, type TestSite } from '../support/app.ts'
import { sourcesOf } from '../support/as-said.ts'
import { engines, inEngines, takingTurns, type Page } from '../support/browsers.ts'
import { headStarts, tryHeadStart } from '../support/head-start.ts'
import { atOutside, outside } from '../support/outside.ts'
import { hashOf, kinds, policies, type Kind, type Policy } from '../support/policies.ts'
import { skip } from '../support/skip.ts'
import { glance, look, open } from '../support/visit.ts'

// Whatever a page has loaded before, and whatever its policy, its chunks are checked or it refuses to start.

const folders: Record<string, string> = {}
const sites: Record<string, TestSite> = {}

/** A build of its own for each kind, and for each option. */
const nameOf = (kind: Kind, option?: Policy['option']) => [kind, option].filter(Boolean).join(', ')

const optionsOf = (option: Policy['option']): SignedImpOptions =>
  option === 'self' ? { policy: option, headers: ['json'] } : { tags: option === 'tags' }

test.before(async () => {
  const key = await generateKey('ed25519')
  const config = { html: { cspNonce: 'abc' } }
  for (const kind of Object.keys(kinds) as Kind[])
    for (const option of [undefined, 'tags', 'self'] as const) {
      const name = nameOf(kind, option)
      const signed = { inline: kinds[kind], ...optionsOf(option) }
      folders[name] = await buildSigned(key, { signed, config })
      sites[name] = await serveApp(folders[name])
    }
})

test.after(async () => {
  for (const site of Object.values(sites)) await site.close()
})

// That a page works all the same when nobody tampers with it, engines show in turns.
for (const [row, [title, headStart]] of Object.entries(headStarts).entries()) {
  for (const name of [nameOf('inline'), nameOf('inline', 'self')])
    inEngines(test, `first: ${title}, ${name}`, async (page, engine) => {
      const honest = takingTurns(row).includes(engine.name) ? [false] : []
      for (const evil of [true, ...honest])
        await tryHeadStart(page, engine.name, sites[name]!, folders[name]!, headStart, evil)
    })
}

for (const { policy, kind, option, fates } of policies) {
  const name = nameOf(kind, option)
  inEngines(test, `${policy}, ${name}`, async (page, engine) => {
    const fate = fates[engine.name]
    const site = sites[name]!
    site.reset()
    const html = readFileSync(join(folders[name]!, 'index.html'), 'utf8')
    const [, header = 'Content-Security-Policy', value] = /^(?:([\w-]+): )?(.*)$/.exec(policy)!
    const headers = { [header]: fillIn(value!, html, folders[name]!) }
    site.reply('index.html', { type: 'text/html; charset=utf-8', headers })
    site.tamper('assets/a.js', 'changed')
    await page.goto(site.url)
    if (fate === 'nothing runs') {
      // There is nobody left to say so: a policy that blocks the bootstrap blocks the app.
      const seen = await glance(page)
      return assert.equal([seen.evil, seen.ran], [0, []])
    }
    const { alert } = await look(page)
    if (fate === 'refused') assert.match(alert, /^ERR_SIGNEDIMP_(NOT_ENFORCEABLE|REFUSED) /)
    else {
      assert.is(alert, '')
      assert.is(await page.evaluate('__signedimp.enforcement'), fate)
      // Where nothing may be fetched, nobody can look why.
      const code = /connect-src 'none'/.test(policy) ? 'NETWORK' : 'CHANGED'
      assert.is(await open(page, 'a'), `ERR_SIGNEDIMP_${code} assets/a.js`)
      assert.is(await open(page, 'b'), 'b café')
    }
    const seen = await glance(page)
    assert.is(seen.evil, 0)
    if (fate === 'refused') assert.equal(seen.ran, [])
  })
}

/** Puts hashes in the places of their names. Those of the map stand in what the build writes. */
function fillIn(policy: string, html: string, folder: string): string {
  const [, map, control] = /MAP|CONTROL/.test(policy) ? sourcesOf(folder) : []
  return policy
    .replace('BOOTSTRAP', () => hashOf(html))
    .replace('MAP', () => map!)
    .replace('CONTROL', () => control!)
}

inEngines(test, "an engine that does not know the key's algorithm: refused", async (page) => {
  const site = sites.inline!
  site.reset()
  const unknown = `<script>crypto.subtle.importKey = async () => { throw new DOMException('Algorithm', 'NotSupportedError') }</script>`
  const html = readFileSync(join(folders.inline!, 'index.html'), 'utf8')
  site.reply('index.html', {
    type: 'text/html; charset=utf-8',
    body: html.replace('<head>', `<head>${unknown}`),
  })
  await page.goto(site.url)
  const { alert, ran, refusals } = await look(page)
  assert.match(alert, /^ERR_SIGNEDIMP_NOT_ENFORCEABLE NotSupportedError: /)
  assert.equal(ran, [])
  assert.equal(refusals, ['ERR_SIGNEDIMP_NOT_ENFORCEABLE undefined'])
})

if (outside === undefined)
  skip(test, 'insecure context', 'this machine has no address but the loopback')
else
  for (const [row, kind] of (Object.keys(kinds) as Kind[]).entries()) {
    const refuses = async (page: Page) => {
      sites[kind]!.reset()
      await atOutside(sites[kind]!.url, async (url) => {
        await page.goto(url)
        assert.is(await page.evaluate('isSecureContext'), false)
        const { alert, ran, refusals } = await look(page)
        assert.is(alert, 'ERR_SIGNEDIMP_NOT_ENFORCEABLE no https (pure: false)')
        assert.equal(ran, [])
        // Said at once, but not before a script further down in the page can hear it.
        assert.is(refusals.length, 1)
      })
    }
    inEngines(test, `insecure context, ${kind}: refused`, refuses, {
      engines: kind === 'inline' ? engines : takingTurns(row),
    })
  }

test.run()
