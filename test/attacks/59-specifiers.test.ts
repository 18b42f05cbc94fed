import * as assert from 'uvu/assert'
import { evilStatement } from '../../playground/tamper.ts'
import { generateKey } from '../../src/keys/generate.ts'
import {
  appBundlers,
  buildSigned,
  chunkOf,
  serveApp,
  type AppBundler,
  type TestSite,
} from '../support/app.ts'
import { attack, attacks } from '../support/attack.ts'
import type { Page } from '../support/browsers.ts'
import { glance, open, starts } from '../support/visit.ts'

// What an import names, and where an answer comes from: 59, 60, 63, 95, 101, 114, 115.

let folder: string
let site: TestSite
let other: TestSite

const files = {
  'admin.html':
    '<!doctype html><meta charset="utf-8"><title>Admin</title><script type="module" src="/src/admin.js"></script>',
  'src/admin.js': `(globalThis.ran ??= []).push('admin')
globalThis.app = { own: () => import('./private.js') }
`,
  'src/private.js': `ran.push('private')
export const text = 'private'
`,
  'src/deep.js': `export { middle as text } from './middle.js'
ran.push('deep')
`,
  'src/middle.js': `import { leaf } from './leaf.js'
ran.push('middle')
export const middle = 'deep ' + leaf[0]
`,
  'src/leaf.js': `ran.push('leaf')
export const leaf = ['leaf', typeof globalThis]
`,
  // What several import, esbuild puts into chunks of their own.
  'src/second.js': `export { middle as text } from './middle.js'`,
  'src/third.js': `export { leaf as text } from './leaf.js'`,
}

const apps = {} as Record<AppBundler, [folder: string, site: TestSite, other: TestSite]>

attacks.before(async () => {
  const key = await generateKey('ed25519')
  for (const bundler of appBundlers) {
    const built = await buildSigned(key, {
      bundler,
      files: { ...files, 'src/main.js': main },
      apart: ['dep', 'middle', 'leaf'],
    })
    apps[bundler] = [built, await serveApp(built), await serveApp(built, { cors: true })]
  }
})

attacks.after(async () => {
  for (const [, ...sites] of Object.values(apps)) for (const each of sites) await each.close()
})

const turnTo = (bundler: AppBundler) => void ([folder, site, other] = apps[bundler])

const main = `import { dep } from './dep.js'
ran.push('index')
globalThis.app = {
  dep,
  url: import.meta.url,
  a: () => import('./a.js'),
  b: () => import('./b.js'),
  solo: () => import('./solo.js'),
  deep: () => import('./deep.js'),
  second: () => import('./second.js'),
  third: () => import('./third.js'),
  any: (specifier, options) => import(/* @vite-ignore */ specifier, options),
}
`

const all = { engines: 'all', turnTo } as const

/** Starts the app beside evil modules that nobody has signed. */
async function start(page: Page) {
  site.reset()
  other.reset()
  for (const path of ['unlisted.js', 'assets/unlisted.js', 'assets/a.js.js'])
    site.reply(path, { body: evilStatement })
  other.reply('unlisted.js', { body: evilStatement })
  await starts(page, site)
}

/** What becomes of `import()` of a specifier: by a chunk, or by code that does not ask our wrapper. */
const importBy = (page: Page, who: 'chunk' | 'raw', specifier: string): Promise<string> =>
  page.evaluate(
    `(${who === 'chunk' ? 'app.any' : '((url) => import(url))'})(${JSON.stringify(specifier)})
      .then(() => 'ran', (error) => error.code ?? error.name)`,
  )

const specifiers: Record<string, () => string> = {
  relative: () => './unlisted.js',
  'from the root': () => '/unlisted.js',
  'another origin': () => `${other.url}unlisted.js`,
  'without a scheme': () => `//${new URL(other.url).host}/unlisted.js`,
  'https, where nothing answers': () => 'https://127.0.0.1:9/unlisted.js',
  bare: () => 'unlisted',
  'the bare name of a listed file': () => 'solo.js',
  'the bare path of a listed file': () => 'assets/a.js',
  'a longer name': () => './a.js.js',
  'another case': () => './A.js',
  'an escape': () => './%61.js',
  'a folder up': () => '../unlisted.js',
  empty: () => '',
  'the manifest': () => '/signedimp-manifest.txt',
  'the page': () => '/index.html',
  'the name of a prototype': () => '__proto__',
  'data of a user': () => `./${'../'.repeat(9)}unlisted.js?user=${encodeURIComponent('<x>')}`,
}

attack(59, 'unlisted', all, async (page) => {
  await start(page)
  for (const [title, specifier] of Object.entries(specifiers)) {
    assert.is(await importBy(page, 'chunk', specifier()), 'ERR_SIGNEDIMP_UNLISTED', title)
    assert.is(await importBy(page, 'raw', specifier()), 'TypeError', title)
  }
  assert.is((await glance(page)).evil, 0)
  return 'refused ERR_SIGNEDIMP_UNLISTED'
})

/** Expressions of what needs no server. */
const locals = [
  `'data:text/javascript,${encodeURIComponent(evilStatement)}'`,
  `URL.createObjectURL(new Blob(['${evilStatement}'], { type: 'text/javascript' }))`,
  `'javascript:${evilStatement}'`,
  `'about:blank'`,
  `'file:///etc/hostname'`,
]

attack(60, 'local URL', all, async (page) => {
  await start(page)
  for (const local of locals)
    assert.is(
      await page.evaluate(`app.any(${local}).then(() => 'ran', (error) => error.code)`),
      'ERR_SIGNEDIMP_UNLISTED',
      local,
    )
  assert.is((await glance(page)).evil, 0)
  return 'refused ERR_SIGNEDIMP_UNLISTED'
})

attack(60, 'data: URL, imported by code that is not of the build', all, async (page) => {
  await start(page)
  const raw = await importBy(page, 'raw', `data:text/javascript,${evilStatement}`)
  assert.equal([raw, (await glance(page)).evil], ['ran', 1])
  return 'documented limit: code that already runs can evaluate text; a Content-Security-Policy forbids it'
})

attack(
  63,
  'deep static import',
  { ...all, variants: ['leaf', 'middle'] },
  async (page, _, variant) => {
    await start(page)
    const path = chunkOf(folder, variant)
    assert.is.not(path, chunkOf(folder, 'deep'))
    site.tamper(path, 'changed')
    const said = await page.evaluate(`app.deep().catch(({ code, path }) => code + ' ' + path)`)
    assert.is(said, `ERR_SIGNEDIMP_CHANGED ${path}`)
    assert.equal([(await glance(page)).evil, await open(page, 'solo')], [0, 'solo'])
    return 'refused ERR_SIGNEDIMP_CHANGED'
  },
)

attack(63, 'deep static import, honest', all, async (page) => {
  await start(page)
  assert.is(await page.evaluate('app.deep().then(({ text }) => text)'), 'deep leaf')
  return 'ok all of it is listed'
})

attack(95, 'private chunk of another page', all, async (page) => {
  await start(page)
  assert.is(await importBy(page, 'chunk', '/assets/private.js'), 'ran')
  site.tamper('assets/admin.js', 'changed')
  assert.is(await importBy(page, 'chunk', '/assets/admin.js'), 'ERR_SIGNEDIMP_CHANGED')
  assert.is((await glance(page)).evil, 0)
  return 'documented limit: pages of one build may import each other’s chunks; they are signed alike'
})

attack(101, 'query, or a longer name', all, async (page) => {
  await start(page)
  site.tamper('assets/a.js', 'changed')
  for (const more of ['?', '?v=1', ';x', '/']) {
    assert.is(await importBy(page, 'chunk', `./a.js${more}`), 'ERR_SIGNEDIMP_UNLISTED', more)
    assert.is(await importBy(page, 'raw', `/assets/a.js${more}`), 'TypeError', more)
  }
  assert.is((await glance(page)).evil, 0)
  return 'refused ERR_SIGNEDIMP_UNLISTED'
})

attack(101, 'fragment', all, async (page) => {
  await start(page)
  const same = "Promise.all([app.any('./a.js#x'), app.a()]).then(([x, a]) => x === a)"
  assert.is(await page.evaluate(same), true)
  site.tamper('assets/b.js', 'changed')
  assert.is(await importBy(page, 'chunk', './b.js#x'), 'ERR_SIGNEDIMP_CHANGED')
  assert.is(await importBy(page, 'raw', '/assets/solo.js#x'), 'TypeError')
  assert.is((await glance(page)).evil, 0)
  return 'refused ERR_SIGNEDIMP_CHANGED'
})

attack(114, 'import.meta.url after a redirect', all, async (page) => {
  await start(page)
  site.tamper('assets/solo.js', 'redirected-same')
  const url = await page.evaluate('app.solo().then(({ url }) => url)')
  assert.is(url, `${site.url}assets/solo.js`)
  assert.is(await page.evaluate('app.url'), `${site.url}assets/index.js`)
  return 'ok import.meta.url is what was signed'
})

const moves: Record<string, () => string> = {
  'the same bytes in another folder': () => '/__moved/assets/a.js',
  'the same bytes on another origin': () => `${other.url}assets/a.js`,
}

attack(
  114,
  'relative import after a redirect',
  { ...all, variants: Object.keys(moves) },
  async (page, _, variant) => {
    await start(page)
    site.tamper('assets/a.js', 'redirected-same')
    const location = moves[variant]!()
    if (location.startsWith('http'))
      site.reply('assets/a.js', { status: 302, headers: { location }, body: '' })
    assert.is(await open(page, 'a'), 'ERR_SIGNEDIMP_CHANGED assets/a.js')
    assert.is((await glance(page)).evil, 0)
    return 'refused ERR_SIGNEDIMP_CHANGED'
  },
)

attack(
  115,
  'entry swap',
  { ...all, variants: ['redirected', 'its bytes'] },
  async (page, _, variant) => {
    site.reset()
    const way = variant === 'redirected' ? 'redirected-elsewhere' : 'swapped'
    site.tamper('assets/index.js', way, 'assets/admin.js')
    await page.goto(site.url)
    await page.waitFor("document.querySelector('[role=alert]') !== null")
    const { alert, ran } = await glance(page)
    assert.match(alert, /^ERR_SIGNEDIMP_CHANGED assets\/index\.js: /)
    assert.equal(ran, [])
    return 'refused ERR_SIGNEDIMP_CHANGED'
  },
)

attacks.run()
