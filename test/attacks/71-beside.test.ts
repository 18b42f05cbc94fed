import { createHash } from 'node:crypto'
import * as assert from 'uvu/assert'
import { evil, evilStatement } from '../../playground/tamper.ts'
import { signedImp } from '../../src/index.ts'
import { generateKey } from '../../src/keys/generate.ts'
import { pageManifestOf, type TestSite } from '../support/app.ts'
import { attack, attacks } from '../support/attack.ts'
import { enforcements, nothingEvil, serveEnforced, startsWithout } from '../support/enforced.ts'
import type { Enforcement } from '../support/enforced.ts'
import { resigned } from '../support/forge.ts'
import { addRoot, importNames, openHost, serveHost } from '../support/roots.ts'
import { glance, open } from '../support/visit.ts'

// What is beside the modules of a page: storage, headers, frames, other documents, keys, lists with holes, and what would
// let a check be left out. 57, 61, 71, 72, 75-77, 79, 116.

const app = serveEnforced()
/** A page that fetches its manifest; what is checked with it, is not known by then. */
const fetching = serveEnforced({ build: { signed: { inline: true } } })
let host: TestSite

attacks.before(async () => {
  host = await serveHost()
})

attacks.after(() => host.close())

const all = { engines: 'all', variants: enforcements } as const
const file = 'assets/a.js'

attack(57, 'overrides in storage', all, async (page, _, variant) => {
  app.site.reply('evil.js', { body: evilStatement })
  await page.goto(`${app.site.url}${file}`)
  await page.evaluate(`(() => {
    const map = JSON.stringify({ imports: { a: '/evil.js', '/${file}': '/evil.js' } })
    for (const name of ['a', './a.js', '/${file}', location.origin + '/${file}'])
      localStorage.setItem('import-map-override:' + name, '/evil.js')
    for (const name of ['import-map-overrides', 'importmap', 'signedimp']) localStorage.setItem(name, map)
    document.cookie = 'import-map-override:a=/evil.js; path=/'
  })()`)
  assert.is(await app.start(page, variant as Enforcement), '')
  assert.is(await open(page, 'a'), 'a café')
  await nothingEvil(page)
  return 'ok nothing of ours reads it'
})

const evals = {
  eval: `eval(text)`,
  'new Function': `new Function(text)()`,
  'an inline handler': `{
    const element = document.createElement('a')
    element.setAttribute('onclick', text)
    element.click()
  }`,
}

attack(61, 'text as code', all, async (page, _, variant) => {
  const attempts = Object.values(evals).map((attempt) => `try { ${attempt} } catch {}`)
  const script = `globalThis.spoil = () => { const text = '${evilStatement}'; ${attempts.join(';')} }`
  assert.is(await app.start(page, variant as Enforcement, { script }), '')
  // Not at once, where engines may lift a ban for whoever drives them.
  await page.evaluate(
    'new Promise((settle) => setTimeout(() => settle(spoil()), 50)).then(() => 1)',
  )
  const { evil: times } = await glance(page)
  if (variant !== 'map') {
    assert.is(times, 0)
    return 'ok the policy forbids it'
  }
  assert.is(times, Object.keys(evals).length)
  return 'documented limit: code that already runs can evaluate text; a Content-Security-Policy forbids it'
})

attack(71, 'headers of a chunk that name other code', all, async (page, _, variant) => {
  app.site.reply('evil.js', { body: evilStatement })
  app.site.reply('evil.html', { type: 'text/html', body: `<script>${evilStatement}</script>` })
  const link = '</evil.js>; rel=modulepreload, </evil.js>; rel=preload; as=script'
  const headers = { link, refresh: '0;url=/evil.html', sourcemap: '/evil.js' }
  for (const path of [file, 'assets/index.js']) app.site.reply(path, { headers })
  assert.is(await app.start(page, variant as Enforcement), '')
  assert.is(await open(page, 'a'), 'a café')
  await page.evaluate('new Promise((settle) => setTimeout(() => settle(1), 300))')
  assert.is(await page.evaluate('location.href'), app.site.url)
  await nothingEvil(page)
  return 'ok only the signed bytes ran'
})

attack(72, 'a frame whose realm nobody has touched', all, async (page, _, variant) => {
  app.site.reply('evil.js', { body: evilStatement })
  app.site.tamper(file, 'changed')
  const said = await startsWithout(app, page, variant as Enforcement, 'a', 'CHANGED')
  // The frame's own document has no map and no wrapper: what it is told to load, it loads.
  await page.evaluate(`new Promise((settle) => {
    const frame = document.createElement('iframe')
    document.body.append(frame)
    const script = frame.contentDocument.createElement('script')
    Object.assign(script, { type: 'module', src: '/evil.js', onload: () => settle(1), onerror: () => settle(1) })
    frame.contentDocument.head.append(script)
  })`)
  assert.is(await page.evaluate('frames[0].__evil'), 1)
  assert.is((await glance(page)).evil, 0)
  assert.is(said, 'refused ERR_SIGNEDIMP_CHANGED')
  return 'documented limit: a frame is a document of its own; code that already runs can fill it with anything'
})

attack(75, 'a key served beside the code', { engines: 'all' }, async (page) => {
  const stranger = await generateKey('ed25519')
  const body = evil(fetching.honest(file), file)
  const digest = createHash('sha256').update(body).digest('hex')
  const name = pageManifestOf(fetching.folder)
  const forged = await resigned(fetching.honest(name), stranger, (text) =>
    text.replace(/^\w{64}(?= assets\/a\.js$)/m, digest),
  )
  fetching.site.reply(name, { body: forged })
  fetching.site.reply(file, { body })
  const alert = await fetching.start(page, 'map')
  assert.match(alert, /^ERR_SIGNEDIMP_SIGNATURE /)
  const asked = fetching.site.requests.map(({ path }) => path)
  assert.ok(asked.includes(name))
  assert.equal(
    asked.filter((path) => /\b(pub|pem|jwks?|keys?)\b/.test(path)),
    [],
  )
  return 'refused ERR_SIGNEDIMP_SIGNATURE'
})

const line = /^\w{64}(?= assets\/a\.js$)/m
const holes: Record<string, (text: string) => string> = {
  'no line': (text) => text.replace(/\n\w{64} assets\/a\.js$/m, ''),
  'no hash': (text) => text.replace(line, ''),
  'a hash of nothing': (text) => text.replace(line, '-'),
}

attack(
  76,
  'a list without the hash of a chunk',
  { engines: 'all', variants: Object.keys(holes) },
  async (page, _, hole) => {
    const name = pageManifestOf(fetching.folder)
    const stored = fetching.honest(name)
    // Even by the publisher's own key: a page takes no list but the one that it was built with.
    const body = await resigned(stored, fetching.key, holes[hole])
    assert.not.ok(body.equals(stored))
    fetching.site.reply(name, { body })
    fetching.site.tamper(file, 'changed')
    const alert = await fetching.start(page, 'map')
    assert.match(alert, /^ERR_SIGNEDIMP_MANIFEST_INVALID /)
    await nothingEvil(page, 'index')
    return 'refused ERR_SIGNEDIMP_MANIFEST_INVALID'
  },
)

const patterns = ['*', '**', '*.js', 'assets/*', 'https://*', 'https://cdn.example/*', '*/*', '']

attack(
  77,
  'patterns of what is not checked that are too wide',
  { variants: patterns },
  async (pattern) => {
    const key = await generateKey('ed25519')
    assert.throws(
      () => signedImp(key, { unverified: [pattern] }),
      /^signedImp: "unverified" must be an array of paths or URLs, each of which names something/,
    )
    return 'refused TypeError that names the option'
  },
)

attack(79, 'a manager that trusts nobody', { engines: 'all' }, async (page) => {
  app.site.reply('evil.js', { body: evilStatement })
  await openHost(page, host.url)
  for (const url of [`${app.site.url}evil.js`, `${host.url}host.js`, 'data:text/javascript,1'])
    assert.match(await importNames(page, url), /^UNLISTED /)
  const without = await addRoot(page, app.site.url, { name: 'fixture', keys: [] })
  assert.match(without, /^TypeError: "keys" /)
  assert.match(await importNames(page, `${app.site.url}assets/index.js`), /^UNLISTED /)
  await nothingEvil(page)
  return 'refused ERR_SIGNEDIMP_UNLISTED'
})

attack(116, 'another document on the origin', { engines: 'all' }, async (page) => {
  app.site.reply('evil.html', { type: 'text/html', body: `<script>${evilStatement}</script>` })
  app.site.tamper(file, 'changed')
  await startsWithout(app, page, 'map', 'a', 'CHANGED')
  await page.goto(`${app.site.url}evil.html`)
  assert.is((await glance(page)).evil, 1)
  return 'documented limit: a host can serve other documents on its origin; keep chunks on another one'
})

attacks.run()
