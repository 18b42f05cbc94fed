import { createServer } from 'node:http'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { inEngines, launch, engines } from '../support/browsers.ts'
import { throwsCode } from '../support/throws.ts'

const server = createServer((q, r) => {
  if (q.url === '/never.js' || q.url === '/noheaders') return
  if (q.url === '/dead.js') return void q.socket.destroy()
  if (q.url === '/m.js') { r.setHeader('content-type', 'text/javascript'); r.setHeader('cache-control','max-age=1000'); hits++; return r.end('export default 5') }
  if (q.url === '/empty404') { r.statusCode = 404; return r.end() }
  r.setHeader('content-type', 'text/html')
  if (q.url!.includes('csp')) r.setHeader('content-security-policy', "default-src 'none'; script-src 'self'; require-trusted-types-for 'script'")
  r.end('<!doctype html><script>console.log("hello",{a:1});console.error("bad");Promise.reject(new Error("rej"));setTimeout(()=>{null.x})</script>hi' + (q.url!.includes('never') ? '<script src=/never.js></script>' : ''))
})
let hits = 0
let base = ''
test.before(async () => { await new Promise<void>((d) => server.listen(0, '0.0.0.0', d)); base = 'http://127.0.0.1:' + (server.address() as any).port })
test.after(() => { server.closeAllConnections(); server.close() })
const timed = async <T>(what: string, p: Promise<T>) => { const a = performance.now(); try { return await p } finally { console.error(what, Math.round(performance.now() - a)) } }

inEngines(test, 'basics', async (page, engine) => {
  console.error(engine.name, engine.version)
  await timed('goto', page.goto(base + '/'))
  assert.is(await page.evaluate(() => !!crypto.subtle && isSecureContext), true)
  assert.is(await page.evaluate((a: number, b: string) => a + b, 1, 'x'), '1x')
  assert.is(await page.evaluate('1 + 1 // c'), 2)
  assert.is(await page.evaluate(() => undefined), undefined)
  assert.is(await page.evaluate(async () => { const named = () => 3; class K {}; await new Promise((d) => setTimeout(d, 50)); return named() }), 3)
  assert.is(await page.evaluate(() => import('/m.js' as string).then((m) => m.default)), 5)
  assert.is(await page.evaluate((u: string) => import(u).then((m) => m.default), base + '/m.js'), 5)
  const e = await throwsCode(() => page.evaluate(() => { throw Object.assign(new TypeError('no'), { code: 'ERR_X' }) }), 'ERR_X')
  assert.is(e.name, 'TypeError'); assert.is(e.message, 'no')
  await page.waitFor(() => document.readyState === 'complete')
  try { await page.waitFor(() => (window as any).nothing ?? null, 300); assert.unreachable() } catch (e) { console.error(String(e)) }
  console.error(page.messages())
  await page.screenshot('/tmp/shot-' + engine.name + '.png')
})
inEngines(test, 'csp', async (page) => {
  await page.goto(base + '/csp')
  assert.is(await page.evaluate(() => { try { eval('1'); return 'eval' } catch { return 'noeval' } }), 'noeval')
  assert.is(await page.evaluate(() => import('/m.js' as string).then((m) => m.default)), 5)
  console.error(page.messages())
})
inEngines(test, 'never loads', async (page) => {
  await timed('never', page.goto(base + '/never', 1500))
  assert.is(await timed('ev', page.evaluate(() => location.pathname + document.readyState)), '/neverloading')
  await timed('noheaders', page.goto(base + '/noheaders', 1500))
  await timed('ev', page.evaluate(() => location.pathname + document.readyState))
  await page.goto(base + '/')
  assert.is(await page.evaluate(() => location.pathname), '/')
  await timed('hash', page.goto(base + '/#x'))
  assert.is(await page.evaluate(() => location.hash), '#x')
  await timed('again', page.goto(base + '/'))
  assert.is(await page.evaluate(() => location.href), base + '/')
  return
  assert.is(await page.evaluate(() => location.pathname), '/empty404')
})
for (const u of ['http://127.0.0.1:1/', 'http://nope.invalid/']) inEngines(test, 'unreachable ' + u, async (page) => {
  try { await timed('unreach', page.goto(u)) } catch (e) { console.error(String(e)); return }
  assert.unreachable()
})
inEngines(test, 'insecure', async (page, engine) => {
  for (const h of ['0.0.0.0', '192.0.2.2', '127.0.0.2']) { await page.goto(base.replace('127.0.0.1', h) + '/').catch((e) => console.error(String(e)))
  console.error(h, await page.evaluate(() => [location.href, isSecureContext, !!crypto.subtle])) }
})
inEngines(test, 'cache isolated', async (page, engine) => {
  hits = 0
  await page.goto(base + '/'); await page.evaluate(() => import('/m.js' as string))
  const other = await timed('open', engine.open(base + '/'))
  await other.evaluate(() => { localStorage.x = 1; return import('/m.js' as string) })
  await other.close()
  assert.is(hits, 2)
  const third = await timed('open', engine.open(base + '/'))
  assert.is(await third.evaluate(() => localStorage.x), undefined)
  await timed('close', third.close())
})
for (const e of engines) test('launch ' + e, async () => { const x = await timed('launch ' + e, launch(e)); for (let i = 0; i < 3; i++) await (await timed('open', x.open(base + '/'))).close(); await timed('close', x.close()) })
test.run()
