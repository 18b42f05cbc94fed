import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { appFiles, buildSigned, serveApp, type TestSite } from '../support/app.ts'
import { attack, attacks } from '../support/attack.ts'
import { glance, look, open, openAny } from '../support/visit.ts'

// A module that chunks import by a name, served so that it would be linked in memory, and then loaded by the browser, too: 51.

const map = `<script type="importmap">{"imports":{"plain":"/vendor/plain.mjs"}}</script>`
const files = {
  'index.html': appFiles['index.html']!.replace('<title>', `${map}<title>`),
  'src/a.js': `import { text as plain } from 'plain'\nran.push('a')\nexport const text = 'a ' + plain\n`,
  'public/vendor/plain.mjs': `ran.push('plain')\nexport const text = 'plain'\n`,
}

let site: TestSite

attacks.before(async () => {
  const config = { build: { rollupOptions: { external: ['plain'] } } }
  site = await serveApp(await buildSigned(await generateKey('ed25519'), { files, config }))
})

attacks.after(() => site.close())

attack(51, 'named module refused whenever the browser asks', { engines: 'all' }, async (page) => {
  site.reset()
  let isBad = true
  // Of what asks, only a second fetch for diagnosis says that no cache will do.
  const fails = () =>
    isBad && !site.requests.at(-1)!.headers['cache-control'] ? { status: 404, body: '' } : undefined
  site.reply('vendor/plain.mjs', fails)
  await page.goto(site.url)
  assert.is((await look(page)).alert, '')
  const refused = 'ERR_SIGNEDIMP_REFUSED vendor/plain.mjs'
  assert.is(await openAny(page, 'plain'), refused)
  const asked = site.requests.filter(
    ({ path, headers }) => path.endsWith('vendor/plain.mjs') && headers['cache-control'],
  )
  assert.is(asked.length, 1, 'a diagnosis that asks twice can be told two things')
  site.reply('vendor/plain.mjs', () =>
    site.requests.at(-1)!.destination === 'script' ? fails() : undefined,
  )
  const second = await openAny(page, 'plain')
  isBad = false
  await open(page, 'a')
  const { ran } = await glance(page)
  assert.ok(ran.filter((name) => name === 'plain').length <= 1, `${ran}`)
  assert.is(second, refused)
  return 'refused ERR_SIGNEDIMP_REFUSED'
})

attacks.run()
