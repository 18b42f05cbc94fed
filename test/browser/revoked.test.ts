import { cpSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import type { SignedImpOptions } from '../../src/plugin/options.ts'
import { buildSigned, deploy, serveApp, type TestSite } from '../support/app.ts'
import { inEngines, type Page } from '../support/browsers.ts'
import { hashedNames } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import { open, refuses, starts } from '../support/visit.ts'

// What docs/rotation.md says of revoking: what ends a release or a key, and what that does to pages: to open ones, to those that are loaded then, and to kept HTML. That
// a page refuses other keys and lower builds is tried by the attacks.

const [old, renewed] = [await generateKey('ed25519'), await generateKey('ed25519')]

const build = (key: typeof old, signed: SignedImpOptions) =>
  buildSigned(key, { signed: { name: 'shop', ...signed }, config: hashedNames })

let site: TestSite
let folder = ''

test.before(async () => {
  folder = await build(old, { build: 41 })
  site = await serveApp(folder)
})

test.after(() => site.close())

/** An open page goes on with what it was started with. */
const goesOn = async (page: Page) => assert.is(await open(page, 'a'), 'a café')

inEngines(test, 'past its expiry: open pages go on, and none starts', async (page) => {
  const expires = new Date(Date.now() + 15_000)
  deploy(site, await build(old, { expires }))
  await starts(page, site)
  await sleep(Number(expires) - Date.now() + 1000)
  await goesOn(page)
  await refuses(page, site, 'ERR_SIGNEDIMP_EXPIRED')
})

inEngines(
  test,
  'a key that is left out: open pages go on, and kept HTML trusts it',
  async (page) => {
    deploy(site, folder)
    await starts(page, site)
    const both = scratchFolder()
    for (const from of [folder, await build(renewed, { build: 42 })])
      cpSync(from, both, { recursive: true })
    deploy(site, both)
    await goesOn(page)
    await starts(page, site)
    deploy(site, folder)
    await starts(page, site)
  },
)

test.run()
