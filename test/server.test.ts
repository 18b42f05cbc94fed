import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { serve, type Site, type SiteOptions } from '../playground/server.ts'
import { evilStatement, needsOther, ways, type Way } from '../playground/tamper.ts'

const honest = 'export const a = "café 🧀"\n//# sourceMappingURL=a.js.map'
const other = 'export const b = 2'

const test = suite<{ root: string; sites: Site[] }>('tampering server', { root: '', sites: [] })
test.before((context) => {
  context.root = mkdtempSync(join(tmpdir(), 'site-'))
  mkdirSync(join(context.root, 'assets'))
  writeFileSync(join(context.root, 'index.html'), '<!doctype html><html><head></head></html>')
  writeFileSync(join(context.root, 'assets/a.js'), honest)
  writeFileSync(join(context.root, 'assets/b.js'), other)
})
test.after.each(async ({ sites }) => {
  for (const site of sites.splice(0)) await site.close()
})
test.after(({ root }) => rmSync(root, { recursive: true }))

const start = async (context: { root: string; sites: Site[] }, options?: SiteOptions) => {
  const site = await serve(context.root, options)
  context.sites.push(site)
  return site
}

const get = async (site: Site, path = 'assets/a.js', init: RequestInit = {}) => {
  const response = await fetch(site.url + path, { redirect: 'manual', ...init })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

/** The path as it is written, where `fetch` would tidy it up. */
const getRaw = (site: Site, path: string) =>
  new Promise<number | undefined>((done, fail) => {
    const { hostname, port } = new URL(site.url)
    request({ hostname, port, path }, (response) => {
      response.resume()
      done(response.statusCode)
    })
      .on('error', fail)
      .end()
  })

test('serves honest files, with types and lengths, and logs the requests', async (context) => {
  const site = await start(context)
  const { status, text, headers } = await get(site, 'assets/a.js?v=2')
  assert.equal([status, text], [200, honest])
  assert.is(headers.get('content-type'), 'text/javascript; charset=utf-8')
  assert.is(headers.get('cache-control'), 'no-store')
  assert.match((await get(site, '')).text, '<!doctype html>')
  assert.is((await get(site, 'assets/a.js', { method: 'HEAD' })).text, '')
  assert.is((await get(site, 'nothing.js')).status, 404)
  assert.equal(
    site.requests.map(({ method, path, status }) => `${method} ${path} ${status}`),
    ['GET assets/a.js 200', 'GET index.html 200', 'HEAD assets/a.js 200', 'GET nothing.js 404'],
  )
})

test('serves nothing outside the root or the base, and each file under one spelling', async (context) => {
  const site = await start(context, { base: '/app/' })
  const inside = [`/app/assets/a.js`, `/app/assets/%61.js`]
  const outside = [
    '/assets/a.js',
    '/app/../app/assets/a.js',
    '/app/assets//a.js',
    '/app/assets/./a.js',
    '/app/%2e%2e/etc/passwd',
    '/app/..%2f..%2f..%2fetc/passwd',
    '/app//etc/passwd',
    '/app/assets%5ca.js',
    '/app/assets/a.js%00',
    '/app/%E0%A4%A',
    '/app/assets',
  ]
  for (const path of inside) assert.is(await getRaw(site, path), 200, path)
  for (const path of outside) assert.is(await getRaw(site, path), 404, path)
})

const expected: Partial<Record<Way, { status: number; text: string | RegExp; type?: string }>> = {
  changed: { status: 200, text: evilStatement + honest },
  flipped: { status: 200, text: honest.replace('sourceM', 'SourceM') },
  swapped: { status: 200, text: other },
  truncated: { status: 200, text: /^export const a = "caf.{0,12}$/s },
  emptied: { status: 200, text: '' },
  charset: { status: 200, text: honest, type: 'text/javascript; charset=iso-8859-1' },
  utf16: { status: 200, text: honest, type: 'text/javascript; charset=utf-16' },
  mime: { status: 200, text: honest, type: 'text/plain; charset=utf-8' },
  html: { status: 200, text: /^<!doctype html>/, type: 'text/html; charset=utf-8' },
  missing: { status: 404, text: /Not found/, type: 'text/html; charset=utf-8' },
  error: { status: 500, text: honest },
  partial: { status: 206, text: honest },
}

for (const [way, { status, text, type }] of Object.entries(expected)) {
  test(`${way}: ${ways[way as Way]}`, async (context) => {
    const site = await start(context)
    site.tamper('assets/a.js', way as Way, 'assets/b.js')
    const answer = await get(site)
    assert.is(answer.status, status)
    if (typeof text === 'string') assert.is(answer.text, text)
    else assert.match(answer.text, text)
    assert.is(answer.headers.get('content-type'), type ?? 'text/javascript; charset=utf-8')
    assert.is((await get(site, 'assets/b.js')).text, other, 'other files stay honest')
    site.tamper('assets/a.js', undefined)
    assert.is((await get(site)).text, honest)
  })
}

test('changed-later and changed-first turn at the second GET, and HEAD does not count', async (context) => {
  const site = await start(context)
  const three = async () => [await get(site), await get(site), await get(site)].map((a) => a.text)
  const changed = evilStatement + honest
  site.tamper('assets/a.js', 'changed-later')
  await get(site, 'assets/a.js', { method: 'HEAD' })
  assert.equal(await three(), [honest, changed, changed])
  site.tamper('assets/a.js', 'changed-first')
  assert.equal(await three(), [changed, honest, honest])
})

test('redirects lead to a changed copy, another file, or a folder of changed neighbours', async (context) => {
  const site = await start(context, { base: '/app/' })
  const follow = async (way: Way, detail?: string) => {
    site.tamper('assets/a.js', way, detail)
    const { status, headers } = await get(site)
    assert.is(status, 302)
    const target = new URL(headers.get('location')!, site.url)
    return { target, text: await (await fetch(target)).text() }
  }
  assert.is((await follow('redirected')).text, evilStatement + honest)
  assert.is((await follow('redirected-elsewhere', 'assets/b.js')).text, other)
  const { target, text } = await follow('redirected-same')
  assert.is(text, honest)
  assert.is(await (await fetch(new URL('./b.js', target))).text(), evilStatement + other)
})

for (const way of ['dropped', 'aborted'] as const) {
  test(`${way}: ${ways[way]}`, async (context) => {
    const site = await start(context)
    site.tamper('assets/a.js', way)
    const failed = await get(site).then(
      () => false,
      () => true,
    )
    assert.ok(failed)
    assert.is(site.requests[0]!.status, way === 'dropped' ? 0 : 200)
  })
}

test('endless goes on, slow comes late, and close ends both', async (context) => {
  const site = await start(context)
  site.tamper('assets/a.js', 'slow', '200')
  const began = performance.now()
  assert.is((await get(site)).text, honest)
  assert.ok(performance.now() - began >= 190)

  site.tamper('assets/a.js', 'endless', '1000')
  const reader = (await fetch(`${site.url}assets/a.js`)).body!.getReader()
  let length = 0
  while (length < 3000) length += (await reader.read()).value!.length
  await site.close()
  context.sites.pop()
  const ended = await reader.read().then(
    ({ done }) => done,
    () => true,
  )
  assert.ok(ended)
})

test('tampering with a file that does not exist is a mistake of the test', async (context) => {
  const site = await start(context)
  assert.throws(() => site.tamper('assets/A.js', 'changed'), /no file "assets\/A.js"/)
  assert.throws(() => site.tamper('assets/a.js', 'chnged' as Way), /no way "chnged"/)
  for (const way of needsOther) assert.throws(() => site.tamper('assets/a.js', way), /no file ""/)
  site.tamper('assets/a.js', 'missing')
  await get(site)
  site.reset()
  assert.equal(site.requests, [])
  assert.is((await get(site)).status, 200)
})

test('caches, compresses, shares and lets a handler answer as told', async (context) => {
  const tagged = await start(context, { cache: 'no-cache', gzip: true, cors: true })
  const first = await get(tagged, 'assets/a.js', { headers: { origin: 'http://else.test' } })
  assert.is(first.text, honest)
  assert.is(first.headers.get('content-encoding'), 'gzip')
  assert.is(first.headers.get('access-control-allow-origin'), 'http://else.test')
  const headers = { 'if-none-match': first.headers.get('etag')! }
  assert.is((await get(tagged, 'assets/a.js', { headers })).status, 304)
  tagged.tamper('assets/a.js', 'changed')
  assert.is((await get(tagged, 'assets/a.js', { headers })).status, 200)

  const lasting = await start(context, {
    cache: 'max-age',
    base: '/app/',
    headers: (path) => ({ 'x-path': path }),
    handle: (_, response, path) => path === '/hello' && !!response.end('hello'),
  })
  const { headers: own } = await get(lasting)
  assert.match(own.get('cache-control')!, 'max-age=31536000')
  assert.is(own.get('x-path'), 'assets/a.js')
  assert.is((await get(lasting, '')).headers.get('cache-control'), 'no-cache')
  assert.is(await (await fetch(new URL('/hello', lasting.url))).text(), 'hello')
})

test.run()
