import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { evilStatement } from '../../playground/tamper.ts'
import { generateKey } from '../../src/keys/generate.ts'
import { fixedName } from '../../src/manifest/import-map.ts'
import { buildSigned, isAsked, pageManifestOf, serveApp, type TestSite } from '../support/app.ts'
import { inEngines, type Page } from '../support/browsers.ts'
import { glance, look, open, type Seen } from '../support/visit.ts'

// With the option `policy: 'self'` everybody knows by which name a page's map will know its modules. A host that was asked
// for a module before that map came can have had others loaded by that name, none of which has run.

let folder = ''
let site: TestSite

test.before(async () => {
  folder = await buildSigned(await generateKey('ed25519'), { signed: { policy: 'self' } })
  site = await serveApp(folder)
})

test.after(() => site.close())

const html = () => readFileSync(join(folder, 'index.html'), 'utf8')
const runtime = () => /data-runtime="([^"]+)"/.exec(html())![1]!

/** A page that asks for the chunk `a` first, which has a module loaded, and nothing run: it imports what is not there, too. */
async function visit(page: Page, primed: string): Promise<Seen> {
  site.reset()
  const head = `<script>import('/assets/a.js').catch(() => {})</script>`
  const body = html().replace('<head>', `<head>${head}`)
  site.reply('index.html', { type: 'text/html; charset=utf-8', body })
  site.reply('assets/a.js', {
    body: `import '/${primed}#${fixedName}'\nimport '/nowhere.js'\n${evilStatement}`,
  })
  site.reply(primed, { body: `${evilStatement}export const text = 'evil'` })
  site.tamper(pageManifestOf(folder), 'slow', '300')
  await page.goto(site.url)
  await look(page)
  // What was asked for is there.
  await isAsked(site, 'nowhere.js')
  return glance(page)
}

inEngines(test, 'the runtime, loaded before by its known name, does not run', async (page) => {
  const { evil, alert, ran } = await visit(page, runtime())
  assert.is(evil, 0)
  // Firefox takes no map any more, and goes without this runtime.
  if (!alert) assert.equal(ran, ['dep', 'index'])
  else assert.match(alert, /^ERR_SIGNEDIMP_REFUSED signedimp-runtime/)
})

inEngines(test, 'a chunk, loaded before by its known name, does not run', async (page) => {
  const { evil, alert, ran } = await visit(page, 'assets/solo.js')
  assert.equal([evil, alert, ran], [0, '', ['dep', 'index']])
  assert.is(await page.evaluate('__signedimp.enforcement'), 'blob')
  assert.is(await open(page, 'solo'), 'ERR_SIGNEDIMP_CHANGED assets/solo.js')
  assert.is((await glance(page)).evil, 0)
})

test.run()
