import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { serveApp, type TestSite } from '../support/app.ts'
import { attack, attacks } from '../support/attack.ts'
import { buildEntries, entryFiles, handWritten, heads } from '../support/entry-app.ts'
import { glance } from '../support/visit.ts'

// An entry's file finds its manifest by where it came from, and a redirect says where that is.

let newest: string
let older: string
let site: TestSite

attacks.before(async () => {
  const key = await generateKey('ed25519')
  newest = await buildEntries(key)
  const files = { 'src/main.js': `globalThis.app = 'older build'\n` + entryFiles['src/early.js']! }
  older = await buildEntries(key, { files })
  site = await serveApp(newest)
})

attacks.after(() => site.close())

const manifestOf = (folder: string, entry = 'main.js') =>
  /signedimp-manifest\.[0-9a-f]{16}\.txt/.exec(readFileSync(join(folder, entry), 'utf8'))![0]

/** Opens a page whose tag pins the honest entry by its integrity. */
const pinned = () => {
  const hash = createHash('sha256')
    .update(readFileSync(join(newest, 'main.js')))
    .digest('base64')
  return `<script type="module" src="/main.js" integrity="sha256-${hash}" onerror="failure=1"></script>`
}

for (const [form, head] of Object.entries(heads))
  attack(
    31,
    `an older build's manifest, by a redirect of the pinned entry to a folder of its id, ${form}`,
    { engines: 'all' },
    async (page) => {
      site.reset()
      const id = /\.[0-9a-f]{16}/.exec(manifestOf(older))![0]
      const moved = `old${id}/`
      site.reply('main.js', { status: 302, headers: { location: `/${moved}main.js` }, body: '' })
      site.reply(`${moved}main.js`, { body: readFileSync(join(newest, 'main.js')) })
      site.reply(moved + manifestOf(newest), { body: readFileSync(join(older, manifestOf(older))) })
      const own = /signedimp-(?:late|blob)-[0-9a-f]{16}\.js/g
      const files = [...readFileSync(join(newest, 'main.js'), 'utf8').matchAll(own)].map(([f]) => f)
      for (const path of ['mai_.js', ...files])
        site.reply(moved + path, { body: readFileSync(join(older, path)) })
      site.reply('hand.html', handWritten(pinned(), head))
      await page.goto(`${site.url}hand.html`)
      await page.waitFor(
        () =>
          'app' in globalThis ||
          (globalThis as unknown as { refusals: string[] }).refusals.length > 0 ||
          'failure' in globalThis,
      )
      assert.is.not(await page.evaluate('globalThis.app'), 'older build')
      const { refusals } = await glance(page)
      assert.match(refusals.join(), /^ERR_SIGNEDIMP_MANIFEST_INVALID /)
      return 'refused ERR_SIGNEDIMP_MANIFEST_INVALID'
    },
  )

attacks.run()
