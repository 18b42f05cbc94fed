import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { serveApp, type TestSite } from '../support/app.ts'
import { engines, inEngines, type Page } from '../support/browsers.ts'
import { buildEntries, handWritten, tagOf, visitEntry } from '../support/entry-app.ts'
import {
  blocksOfRecipe,
  buildRecipe,
  recipes,
  titleOf,
  type BuiltRecipe,
  type Recipe,
} from '../support/entry-recipes.ts'
import { lazy } from '../support/readme-app.ts'
import { glance } from '../support/visit.ts'

// Every configuration of docs/module-entries.md, in pages as its backend would write them, in one engine each.

interface App {
  started?: string
  errors: string[]
  openCart(): Promise<string>
}

/** What becomes of a page with the tags, and of what it opens later. */
async function visit(page: Page, site: TestSite, tags: string) {
  // A page that the backend writes, beside the output where that has a folder of its own.
  site.reply(new URL(site.url).pathname === '/' ? 'hand.html' : '/hand.html', handWritten(tags))
  await page.goto(new URL('/hand.html', site.url).href)
  await page.waitFor(
    () => 'started' in globalThis || document.querySelector('[role=alert]') !== null,
  )
  const { alert } = await glance(page)
  return page.evaluate(async (said) => {
    const { started = '', errors, openCart } = globalThis as unknown as App
    const cart = await openCart?.().catch(({ code }: { code: string }) => code)
    return { alert: said, started, cart: cart ?? '', errors }
  }, alert)
}

/** The chunk that the app opens later, which has no other file's name. */
function cartIn(dir: string): string {
  const found = readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => /cart.*\.js$/.test(path))
  assert.is(found.length, 1)
  return found[0]!
}

const fill = (html: string, site: TestSite, { integrity }: BuiltRecipe): string =>
  html
    .replace('https://cdn.example/', site.url)
    .replace('integrity="sha256-…"', `integrity="${integrity}"`)

/** The tag that the section itself shows, where it is no template of a backend. */
function shownTag(recipe: Recipe, built: BuiltRecipe, site: TestSite): string[] {
  const [html = ''] = blocksOfRecipe(recipe, 'html')
  return html.includes('<script') ? [fill(html, site, built)] : []
}

/** Serves a recipe's output, with a file changed: anew each time, for WebKit keeps modules of a site that it knows. */
async function onSite(
  { base }: Recipe,
  { dir }: BuiltRecipe,
  changed: string | undefined,
  act: (site: TestSite) => Promise<void>,
): Promise<void> {
  const site = await serveApp(dir, { base })
  if (changed !== undefined) site.tamper(changed, 'flipped')
  try {
    await act(site)
  } finally {
    await site.close()
  }
}

recipes.forEach((recipe, at) => {
  const build = lazy(() => buildRecipe(recipe))
  const one = { engines: [engines[at % engines.length]!] }
  inEngines(
    test,
    `${titleOf(recipe)}: the app starts, and refuses a byte that is not the signed one`,
    async (page, engine) => {
      const built = await build()
      const { main } = built
      const whole = 'the app itself'
      await onSite(recipe, built, undefined, async (site) => {
        for (const tags of [built.tags, ...shownTag(recipe, built, site)])
          assert.equal(await visit(page, site, tags), {
            alert: '',
            started: whole,
            cart: `open ${whole}`,
            errors: [],
          })
      })
      await onSite(recipe, built, cartIn(built.dir), async (site) => {
        const { started, cart } = await visit(page, site, built.tags)
        assert.equal([started, cart], [whole, 'ERR_SIGNEDIMP_CHANGED'])
      })
      await onSite(recipe, built, main, async (site) => {
        const { started, alert, errors } = await visit(page, site, built.tags)
        assert.equal([started, alert.split(':')[0]], ['', `ERR_SIGNEDIMP_CHANGED ${main}`])
        // WebKit does not tell of modules that fail after they awaited.
        assert.is(errors.length, engine.name === 'webkit' ? 0 : 1)
      })
    },
    one,
  )
})

// Entries of two builds.

const twoBuilds = lazy(async () => {
  const key = await generateKey('ed25519')
  const first = await serveApp(await buildEntries(key))
  const files = { 'src/shared.js': 'export const shared = {}\n' }
  const second = await buildEntries(key, { files })
  for (const path of readdirSync(second).filter((name) => /^(signedimp-manifest|othe)/.test(name)))
    first.reply(path, { body: readFileSync(join(second, path)) })
  return first
})

inEngines(test, 'an entry of another build, with other bytes under one name', async (page) => {
  const site = await twoBuilds()
  await visitEntry(page, site, tagOf('main.js'))
  const said = await page.evaluate(() =>
    import('/other.js' as string).then(
      () => 'runs',
      ({ message }: Error) => message,
    ),
  )
  assert.is(said, 'ERR_SIGNEDIMP_VERSION_SKEW shared.js: another build of it is on the page')
})

test.after(async () => (await twoBuilds()).close())

test.run()
