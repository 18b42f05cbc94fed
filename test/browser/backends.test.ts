import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { evil } from '../../playground/tamper.ts'
import { appBundlers, serveApp, type AppBundler, type TestSite } from '../support/app.ts'
import { buildBackend, loadedIn, writePage } from '../support/backend-app.ts'
import { buildFor, startExpress } from '../support/backend-recipes.ts'
import { engines, inEngines, takingTurns, type Page } from '../support/browsers.ts'
import { lazy } from '../support/readme-app.ts'
import { glance, look, open } from '../support/visit.ts'

// Pages of a backend: they start as pages of the build do, under the policy that comes with their tags, and each of
// their files is refused when it is another one.

const sites = Object.fromEntries(
  appBundlers.map((bundler) => [
    bundler,
    lazy(async () => {
      const folder = await buildBackend(bundler)
      return { folder, site: await serveApp(folder) }
    }),
  ]),
) as Record<AppBundler, () => Promise<{ folder: string; site: TestSite }>>

const ways = { 'a nonce': true, hashes: false }

/** Opens the page with a file changed. */
async function visit(page: Page, bundler: AppBundler, hasNonce: boolean, changed?: string) {
  const { folder, site } = await sites[bundler]()
  site.reset()
  if (changed !== undefined) site.tamper(changed, 'changed')
  const nonce = hasNonce ? randomBytes(16).toString('base64') : undefined
  site.reply('index.html', writePage(folder, nonce))
  await page.goto(site.url)
  return look(page)
}

const styleOf = (page: Page) =>
  page.evaluate(() => {
    const style = getComputedStyle(document.documentElement)
    return [style.getPropertyValue('--styled').trim(), style.getPropertyValue('--evil').trim()]
  })

const enforcementOf = (page: Page) =>
  page.evaluate(
    () => (globalThis as never as { __signedimp: { enforcement: string } }).__signedimp.enforcement,
  )

appBundlers.forEach((bundler, at) => {
  const one = bundler === 'vite' ? {} : { engines: [engines[at % engines.length]!] }
  for (const [way, hasNonce] of Object.entries(ways))
    inEngines(
      test,
      `${bundler}: the page of a backend starts, under a policy with ${way}`,
      async (page) => {
        const { alert, ran } = await visit(page, bundler, hasNonce)
        assert.equal([alert, ran], ['', ['dep', 'index']])
        assert.is(await enforcementOf(page), 'map')
        assert.is(await open(page, 'a'), 'a café')
        assert.equal(await styleOf(page), ['1', ''])
        assert.equal((await glance(page)).refusals, [])
      },
      one,
    )

  inEngines(
    test,
    `${bundler}: each file of such a page is refused when it is changed`,
    async (_, engine) => {
      const { folder } = await sites[bundler]()
      const files = loadedIn(folder)
      assert.ok(files.length >= 6, files.join())
      const own = files.filter((_, row) => takingTurns(row).includes(engine.name))
      for (const path of bundler === 'vite' ? own : files) {
        // Another one for each: WebKit keeps what it has loaded of a site.
        const page = await engine.open()
        await refuses(page, bundler, path)
        await page.close()
      }
    },
    one,
  )
})

/** A changed module is refused by its path, and runs nothing; a changed stylesheet is not applied, and refuses nothing. */
async function refuses(page: Page, bundler: AppBundler, path: string): Promise<void> {
  const { alert } = await visit(page, bundler, true, path)
  const opened = alert === '' ? await Promise.all(modules.map((name) => open(page, name))) : []
  const said = [alert.split(':')[0]!, ...opened].filter((text) => text.startsWith('ERR_'))
  const isStyle = path.endsWith('.css')
  assert.is((await glance(page)).evil, 0, path)
  assert.equal(await styleOf(page), isStyle ? ['', ''] : ['1', ''], path)
  assert.is(said.length > 0, !isStyle, path)
  assert.ok(
    said.every((text) => text.endsWith(` ${path}`)),
    `${path}: ${said}`,
  )
}

const modules = ['a', 'b', 'solo'] as const

// The server of docs/backends.md.

const shop = lazy(async () => {
  const root = await buildFor({ section: 'Express', source: 'src/main.js' })
  return { root, server: await startExpress(root) }
})

inEngines(test, 'the recipe for Express, as it is written', async (_, engine) => {
  const { root, server } = await shop()
  const visitShop = async () => {
    const page = await engine.open(server.url)
    await page.waitFor(() => 'started' in globalThis || document.querySelector('[role=alert]'))
    const seen = await page.evaluate(async () => {
      const { started, openCart } = globalThis as never as Record<string, () => Promise<string>>
      return [started, await openCart?.().catch(({ code }: { code: string }) => code)]
    })
    await page.close()
    return seen
  }
  assert.equal(await visitShop(), ['the app itself', 'open the app itself'])
  const assets = join(root, 'dist/assets')
  const cart = join(
    assets,
    readdirSync(assets).find((name) => name.startsWith('cart-'))!,
  )
  const honest = readFileSync(cart)
  writeFileSync(cart, evil(honest, cart))
  try {
    assert.equal(await visitShop(), ['the app itself', 'ERR_SIGNEDIMP_CHANGED'])
  } finally {
    writeFileSync(cart, honest)
  }
})

test.after(async () => {
  await (await shop()).server.stop()
  for (const made of Object.values(sites)) await (await made()).site.close()
})

test.run()
