import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { toTrustedKey } from '../../src/keys/public.ts'
import { verifyDirectory } from '../../src/tree/verify.ts'
import { buildSigned, serveApp } from '../support/app.ts'
import { attack, attacks } from '../support/attack.ts'
import { throwsCode } from '../support/throws.ts'
import { glance, look, open } from '../support/visit.ts'

// What chunks say of their sources: 68. Only tools of developers ask for source maps, so no page can check one; they are
// listed, so that whoever looks at a deployed folder does.

const key = await generateKey('ed25519')
const evil = JSON.stringify({
  version: 3,
  sources: ['https://evil.test/a.js'],
  sourcesContent: ['globalThis.__evil = 1'],
  mappings: '',
})

attack(68, 'source maps of somebody else', { engines: 'all' }, async (page) => {
  const folder = await buildSigned(key, { config: { build: { sourcemap: true } } })
  const maps = readdirSync(join(folder, 'assets')).filter((name) => name.endsWith('.map'))
  assert.ok(maps.length > 2)
  for (const name of maps) writeFileSync(join(folder, 'assets', name), evil)
  const site = await serveApp(folder)
  try {
    await page.goto(site.url)
    assert.is((await look(page)).alert, '')
    assert.is(await open(page, 'a'), 'a café')
    assert.is((await glance(page)).evil, 0)
    assert.equal(
      site.requests.filter(({ path }) => path.endsWith('.map')),
      [],
    )
  } finally {
    await site.close()
  }
  await throwsCode(() => verifyDirectory(folder, [toTrustedKey(key)]), 'ERR_SIGNEDIMP_FILES')
  return 'documented limit: no page asks for source maps; signedimp verify refuses them'
})

attacks.run()
