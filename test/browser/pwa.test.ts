import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { evil } from '../../playground/tamper.ts'
import { generateKey } from '../../src/keys/generate.ts'
import { loadSigner } from '../../src/keys/private.ts'
import { toTrustedKey } from '../../src/keys/public.ts'
import { signDirectory } from '../../src/tree/sign.ts'
import { verifyDirectory } from '../../src/tree/verify.ts'
import { appFiles, buildSigned, serveApp, type TestSite } from '../support/app.ts'
import { inEngines, type Page } from '../support/browsers.ts'
import { blocksOf, readDocument, sectionOf } from '../support/markdown.ts'
import { skip } from '../support/skip.ts'
import { throwsCode } from '../support/throws.ts'
import { glance, open, starts } from '../support/visit.ts'

// A signed page in a precache: it starts and goes on without a server, and what was changed in the cache is refused.

let folder: string

const bytesOf = (dir: string): Map<string, string> =>
  new Map(
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .map((path) => [relative(dir, path), readFileSync(path, 'base64')]),
  )

/** Runs the recipe of the document in a folder beside the output. */
function precache(project: string, installed: string): void {
  const [script] = blocksOf(
    sectionOf(readDocument('docs/deploy.md'), 'Offline, with Workbox'),
    'js',
  )
  writeFileSync(join(project, 'precache.mjs'), script!)
  mkdirSync(join(project, 'node_modules'))
  symlinkSync(installed, join(project, 'node_modules/workbox-build'), 'junction')
  execFileSync(process.execPath, ['precache.mjs'], { cwd: project, stdio: 'pipe' })
}

/** Where Workbox is, if it is installed. */
function findWorkbox(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve('workbox-build/package.json'))
  } catch {
    return undefined
  }
}

const installed = findWorkbox()

test.before(async () => {
  if (!installed) return
  const key = await generateKey('ed25519')
  const main = `${appFiles['src/main.js']}navigator.serviceWorker.register('/sw.js')\n`
  folder = await buildSigned(key, { files: { 'src/main.js': main }, signed: { name: 'shop' } })
  const before = bytesOf(folder)
  precache(dirname(folder), installed)
  const after = bytesOf(folder)
  assert.ok(after.delete('sw.js'))
  assert.equal(after, before)
  const trusted = [toTrustedKey(key)]
  const check = () => verifyDirectory(folder, trusted, { name: 'shop' })
  assert.match((await throwsCode(check, 'ERR_SIGNEDIMP_FILES')).message, 'sw.js')
  await signDirectory(folder, await loadSigner(key), { name: 'shop' })
  await check()
})

/** Visits the page until it is in the cache. */
async function visit(page: Page, site: TestSite): Promise<void> {
  await starts(page, site)
  await page.waitFor(
    "navigator.serviceWorker.ready.then(({ active }) => active.state === 'activated')",
  )
  await starts(page, site)
  await page.waitFor('navigator.serviceWorker.controller !== null')
}

/** Comes again when there is no server any more. */
async function comeAgain(page: Page, site: TestSite): Promise<void> {
  await site.close()
  await page.goto(site.url)
  await page.waitFor('globalThis.app')
}

const inThem = (title: string, body: (page: Page, site: TestSite) => Promise<void>) =>
  installed
    ? inEngines(test, title, async (page) => {
        const site = await serveApp(folder)
        try {
          await body(page, site)
        } finally {
          await site.close()
        }
      })
    : skip(test, title, 'workbox-build is not installed')

inThem('a page in a precache needs no server', async (page, site) => {
  await visit(page, site)
  await comeAgain(page, site)
  assert.is(await open(page, 'a'), 'a café')
  assert.is(await open(page, 'solo'), 'solo')
})

inThem('what was changed in the precache is refused', async (page, site) => {
  await visit(page, site)
  const bytes = readFileSync(join(folder, 'assets/a.js'))
  const count = await page.evaluate(async (text) => {
    const type = { headers: { 'content-type': 'text/javascript' } }
    let changed = 0
    for (const name of await caches.keys()) {
      const cache = await caches.open(name)
      for (const request of await cache.keys())
        if (request.url.includes('/assets/a.js')) {
          await cache.put(request, new Response(text, type))
          changed++
        }
    }
    return changed
  }, evil(bytes, 'a.js').toString())
  assert.is(count, 1)
  await comeAgain(page, site)
  assert.is(await open(page, 'a'), 'ERR_SIGNEDIMP_CHANGED assets/a.js')
  assert.is(await open(page, 'solo'), 'solo')
  assert.is((await glance(page)).evil, 0)
})

test.run()
