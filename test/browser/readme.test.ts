import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { serve, type Site } from '../../playground/server.ts'
import { inEngines, type Page } from '../support/browsers.ts'
import { blocksOf, readDocument, rowsOf, sectionOf } from '../support/markdown.ts'
import { copyApp, createApp, lazy, quickStart, shapeOf, succeed } from '../support/readme-app.ts'

// What the README and the documents say of pages, in pages.

const refusals = readDocument('docs/refusals.md')

const app = lazy(() => createApp())

async function buildWith(bundler: 'vite' | 'esbuild') {
  const folder = copyApp(await app())
  const command = bundler === 'vite' ? 'vite build' : 'node build.js 2>&1'
  const [, hash] = /'(sha256-.+)'/.exec(succeed(command, folder))!
  const dist = join(folder, 'dist')
  const html = await readFile(join(dist, 'index.html'), 'utf8')
  const [, main] = /data-entry="([^"]+)"/.exec(html)!
  return { app: folder, dist, html, hash: hash!, main: decodeURIComponent(main!) }
}

const build = lazy(() => buildWith('vite'))
const buildByEsbuild = lazy(() => buildWith('esbuild'))

/** How a visit differs from an honest one. */
interface Visit {
  policy?: string
  html?: string
  tamper?: (site: Site) => void
  built?: typeof build
}

/** Opens the app, and tells what a reader and an app see: an alert, a text, what `import()` gave. */
async function visit(page: Page, { policy, html, tamper, built = build }: Visit) {
  const { dist, html: honest } = await built()
  const headers = policy === undefined ? {} : { 'content-security-policy': policy }
  const site = await serve(dist, {
    handle(_request, response, path) {
      if (path !== 'index.html') return false
      response.writeHead(200, { 'content-type': 'text/html', ...headers }).end(html ?? honest)
      return true
    },
  })
  tamper?.(site)
  try {
    await page.goto(site.url)
    await page.waitFor(
      () =>
        'started' in globalThis ||
        document.documentElement.outerHTML.includes('(ERR_') ||
        document.querySelector('[role=alert]') !== null,
    )
    return await page.evaluate(async () => {
      const { openCart } = globalThis as unknown as { openCart?: () => Promise<string> }
      return {
        alert: document.querySelector('[role=alert]')?.textContent ?? '',
        text: document.body.textContent.trim(),
        cart: openCart && (await openCart()),
      }
    })
  } finally {
    await site.close()
  }
}

inEngines(test, 'a page whose main chunk has changed says what the README shows', async (page) => {
  const { main } = await build()
  const { alert, cart } = await visit(page, { tamper: (site) => site.tamper(main, 'flipped') })
  assert.is(shapeOf(alert), shapeOf(quickStart.shown))
  assert.is(cart, undefined)
})

inEngines(
  test,
  'a page that esbuild built runs, and says the same when it has changed',
  async (page) => {
    const built = buildByEsbuild
    const { main } = await built()
    const { alert, cart } = await visit(page, {
      built,
      tamper: (site) => site.tamper(main, 'flipped'),
    })
    assert.is(shapeOf(alert), shapeOf(quickStart.shown).replace('index-', 'main-'))
    assert.is(cart, undefined)
    assert.equal(await visit(page, { built }), { alert: '', text: '', cart: 'open' })
  },
)

inEngines(test, "the document's script shows a refusal in its own way", async (page) => {
  const { main, html } = await build()
  const [script] = blocksOf(sectionOf(refusals, 'What a page does'), 'html')
  const seen = await visit(page, {
    html: html.replace('</title>', `</title>${script}`),
    tamper: (site) => site.tamper(main, 'flipped'),
  })
  assert.is(seen.alert, '')
  assert.is(seen.text, 'This page cannot be trusted now (ERR_SIGNEDIMP_CHANGED).')
})

const policies = sectionOf(readDocument('docs/csp.md'), 'Policies that work')

/** A policy with the hash and the nonce of a page. */
const fill = (policy: string, hash: string): string =>
  policy
    .replace(/\s*Content-Security-Policy: /, '')
    .trim()
    .replace('sha256-…', hash)
    .replace('nonce-…', 'nonce-abc')

const headers = blocksOf(policies, 'text')

test('the documents show headers with a hash and with a nonce', () => {
  for (const header of headers) assert.match(header, /^Content-Security-Policy: /)
  assert.ok(headers.filter((header) => header.includes("'sha256-…' 'strict-dynamic'")).length > 0)
  const nonces = headers.flatMap(
    (header) => /script-src 'nonce-…' ?([^;\n]*)/.exec(header)?.[1] ?? [],
  )
  assert.equal(nonces, ['', "'self'", "'strict-dynamic'"])
})

for (const header of headers)
  inEngines(test, `an app works under ${header.trim()}`, async (page) => {
    const { hash, html } = await build()
    const nonced = header.includes('nonce-')
      ? html.replaceAll(/<(script|link) /g, '<$1 nonce="abc" ')
      : html
    const seen = await visit(page, { policy: fill(header, hash), html: nonced })
    assert.equal(seen, { alert: '', text: '', cart: 'open' })
  })

/** The page of a build whose sources have the policy of the document. */
const buildWithMeta = lazy(async () => {
  const { app, hash } = await build()
  const [meta] = blocksOf(policies, 'html')
  const folder = copyApp(app)
  const file = join(folder, 'index.html')
  const page = await readFile(file, 'utf8')
  await writeFile(file, page.replace('<title>', `${meta!.replace('sha256-…', hash)}<title>`))
  assert.match(succeed('vite build', folder), hash)
  return readFile(join(folder, 'dist/index.html'), 'utf8')
})

inEngines(test, 'a policy in the HTML does what a header does', async (page) => {
  const html = await buildWithMeta()
  assert.equal(await visit(page, { html }), { alert: '', text: '', cart: 'open' })
  // And blocks what is not the bootstrap.
  const other = html.replace(
    '<title>',
    '<script>globalThis.started = document.title</script><title>',
  )
  assert.equal(await visit(page, { html: other }), { alert: '', text: '', cart: 'open' })
})

const told = rowsOf(sectionOf(refusals, 'Not enforceable'))

/** The message of the row that speaks of something, as the page shows it. */
function messageOf(cause: RegExp): string {
  const rows = told.filter(([, text]) => cause.test(text!))
  assert.is(rows.length, 1, `${cause}`)
  return `ERR_SIGNEDIMP_NOT_ENFORCEABLE ${rows[0]![0]!.replaceAll('`', '')}`
}

inEngines(
  test,
  'a policy without nonce and strict-dynamic refuses as the document says',
  async (page) => {
    const { hash } = await build()
    const { alert } = await visit(page, { policy: `script-src 'self' '${hash}'` })
    assert.is(alert, messageOf(/neither the import map nor `blob:`/))
  },
)

const hindrances: Record<string, (main: string) => string> = {
  'an import map of the page': () => '<script type="importmap">{"imports":{"x":"/x.js"}}</script>',
  'an import before the map': () => "<script>import('/assets/other.js').catch(() => {})</script>",
  'a modulepreload tag, in Firefox': (main) => `<link rel="modulepreload" href="/${main}">`,
}

for (const [what, tagOf] of Object.entries(hindrances))
  inEngines(
    test,
    `${what} makes a page link in memory, as the document says`,
    async (page) => {
      const { html, main } = await build()
      const seen = await visit(page, { html: html.replace('<title>', `${tagOf(main)}<title>`) })
      assert.equal(seen, { alert: '', text: '', cart: 'open' })
      assert.is(await page.evaluate('__signedimp.enforcement'), 'blob')
    },
    { engines: /Firefox/.test(what) ? ['firefox'] : ['chromium', 'firefox', 'webkit'] },
  )

test.run()
