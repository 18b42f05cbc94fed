import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { deploy, serveApp, type TestSite } from '../support/app.ts'
import { inEngines, type Page } from '../support/browsers.ts'
import { addRoot, openHost, pemOf, serveHost, signFolder } from '../support/roots.ts'

// A manager that remembers the builds of its roots, whose host gives out older ones again.

const key = await generateKey('ed25519')
const other = await generateKey('ed25519')

const files = { 'other.js': 'export const other = 1\n' }
const sign = (build: number | undefined, by = key, name = 'cart') =>
  signFolder(by, name, files, build)

let host: TestSite
let cart: TestSite
let search: TestSite

test.before(async () => {
  host = await serveHost()
  cart = await serveApp(await sign(41), { cors: true })
  search = await serveApp(await sign(1), { cors: true })
})

test.after(async () => {
  for (const site of [host, cart, search]) await site.close()
})

/** What a page that is loaded anew makes of what the root's host has now. */
async function visit(page: Page, folder: Promise<string>, options: object = {}): Promise<string> {
  deploy(cart, await folder)
  await openHost(page, host.url, { remember: true })
  return addRoot(page, cart.url, { keys: [pemOf(key)], name: 'cart', ...options })
}

const refused = /^ROLLBACK /

inEngines(test, 'a root of an older build is refused after a newer one', async (page) => {
  assert.is(await visit(page, sign(41)), 'ok')
  assert.is(await visit(page, sign(42)), 'ok')
  assert.match(await visit(page, sign(41)), refused)
  assert.match(await visit(page, sign(undefined)), refused)
  assert.is(await visit(page, sign(42)), 'ok')
})

inEngines(test, 'other roots, names and keys know nothing of it', async (page) => {
  assert.is(await visit(page, sign(42)), 'ok')
  assert.is(await addRoot(page, search.url, { keys: [pemOf(key)], name: 'cart' }), 'ok')
  const staging = { name: 'cart/staging' }
  assert.is(await visit(page, sign(1, key, staging.name), staging), 'ok')
  assert.is(await visit(page, sign(1, other), { keys: [pemOf(other)] }), 'ok')
  assert.match(await visit(page, sign(41)), refused)
})

inEngines(test, 'without the option nothing is remembered', async (page) => {
  for (const build of [42, 41]) {
    deploy(cart, await sign(build))
    await openHost(page, host.url)
    assert.is(await addRoot(page, cart.url, { keys: [pemOf(key)], name: 'cart' }), 'ok')
  }
  assert.is(await page.evaluate(() => localStorage.length), 0)
})

test.run()
