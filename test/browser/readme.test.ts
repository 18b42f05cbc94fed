import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { serve, type Site } from '../../playground/server.ts'
import { inEngines, type Page } from '../support/browsers.ts'
import { blocksOf, codesOf, rowsOf, sectionOf } from '../support/markdown.ts'
import { createApp, lazy, quickStart, readme, shapeOf, succeed } from '../support/readme-app.ts'

// What the README says of pages, in pages.

const build = lazy(async () => {
  const app = await createApp()
  const [, hash] = /'(sha256-.+)'/.exec(succeed('vite build', app))!
  const dist = join(app, 'dist')
  const html = await readFile(join(dist, 'index.html'), 'utf8')
  const [main] = readdirSync(join(dist, 'assets')).filter((name) => /^index.*\.js$/.test(name))
  return { dist, html, hash: hash!, main: `assets/${main}` }
})

/** How a visit differs from an honest one. */
interface Visit {
  policy?: string
  html?: string
  tamper?: (site: Site) => void
}

/** Opens the app, and tells what a reader and an app see: an alert, a text, what `import()` gave. */
async function visit(page: Page, { policy, html, tamper }: Visit) {
  const { dist, html: honest } = await build()
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

inEngines(test, "the README's script shows a refusal in its own way", async (page) => {
  const { main, html } = await build()
  const [script] = blocksOf(sectionOf(readme, 'Refusals in the page'), 'html')
  const seen = await visit(page, {
    html: html.replace('</title>', `</title>${script}`),
    tamper: (site) => site.tamper(main, 'flipped'),
  })
  assert.is(seen.alert, '')
  assert.is(seen.text, 'This page cannot be trusted now (ERR_SIGNEDIMP_CHANGED).')
})

const policies = sectionOf(readme, 'Content-Security-Policy')

inEngines(test, 'an app works under the policy of the README', async (page) => {
  const { hash } = await build()
  const [header] = blocksOf(policies, 'text')
  const policy = header!
    .trim()
    .replace(/^Content-Security-Policy: /, '')
    .replace('sha256-…', hash)
  assert.equal(await visit(page, { policy }), { alert: '', text: '', cart: 'open' })
})

inEngines(test, 'an app works under a policy with a nonce as the README has it', async (page) => {
  const { html } = await build()
  const nonced = html.replaceAll(/<(script|link) /g, '<$1 nonce="abc" ')
  const [nonce, ...others] = codesOf(policies).filter((code) => /^'(nonce|self|strict)/.test(code))
  assert.equal([nonce, ...others], ["'nonce-…'", "'self'", "'strict-dynamic'"])
  for (const other of ['', ...others]) {
    const policy = `script-src ${nonce!.replace('…', 'abc')} ${other}`
    assert.is((await visit(page, { policy, html: nonced })).cart, 'open', policy)
  }
})

const told = rowsOf(sectionOf(readme, 'Not enforceable'))

/** The message of the row that speaks of something, as the page shows it. */
function messageOf(cause: RegExp): string {
  const rows = told.filter(([, text]) => cause.test(text!))
  assert.is(rows.length, 1, `${cause}`)
  return `ERR_SIGNEDIMP_NOT_ENFORCEABLE ${rows[0]![0]!.replaceAll('`', '')}`
}

inEngines(
  test,
  'a policy without nonce and strict-dynamic refuses as the README says',
  async (page) => {
    const { hash } = await build()
    const { alert } = await visit(page, { policy: `script-src 'self' '${hash}'` })
    assert.is(alert, messageOf(/Content-Security-Policy/))
  },
)

inEngines(test, 'an import map of the page refuses as the README says', async (page) => {
  const { html } = await build()
  const map = '<script type="importmap">{"imports":{"x":"/x.js"}}</script>'
  const { alert } = await visit(page, { html: html.replace('<title>', `${map}<title>`) })
  assert.is(alert, messageOf(/import map of its own/))
})

inEngines(
  test,
  'a modulepreload tag refuses in Firefox as the README says',
  async (page) => {
    const { html, main } = await build()
    const tag = `<link rel="modulepreload" href="/${main}">`
    const { alert } = await visit(page, { html: html.replace('<title>', `${tag}<title>`) })
    assert.is(alert, messageOf(/modulepreload/))
  },
  { engines: ['firefox'] },
)

inEngines(
  test,
  'an import before the map refuses in Chromium and WebKit as the README says',
  async (page) => {
    const { html } = await build()
    const script = "<script>import('/assets/other.js').catch(() => {})</script>"
    const { alert } = await visit(page, { html: html.replace('<title>', `${script}<title>`) })
    assert.is(alert, messageOf(/^Chromium and WebKit/))
  },
  { engines: ['chromium', 'webkit'] },
)

test.run()
