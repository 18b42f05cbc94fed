import * as assert from 'uvu/assert'
import { evilStatement } from '../../playground/tamper.ts'
import { serveApp, type TestSite } from '../support/app.ts'
import { attack, attacks } from '../support/attack.ts'
import type { Page } from '../support/browsers.ts'
import {
  type Enforcement,
  everyRow,
  policies,
  rowOf,
  serveEnforced,
  startsWithout,
  nothingEvil,
} from '../support/enforced.ts'
import { glance, look, open, openAny } from '../support/visit.ts'

// What an import names, what was loaded before, and where an answer comes from, where no import map checks: modules that
// are linked in memory, and tags. 58-60, 63, 97, 101, 113, 114. Under a map the same is tried elsewhere.

const app = serveEnforced()
let other: TestSite

attacks.before(async () => {
  other = await serveApp(app.folder, { cors: true })
})

attacks.after(() => other.close())

const all = { engines: 'all', variants: ['blob', 'tags'] } as const
const file = 'assets/a.js'
const shared = 'assets/shared.js'

async function starts(page: Page, left: string): Promise<void> {
  assert.is(await app.start(page, left as Enforcement), '')
}

const specifiers: Record<string, () => string> = {
  relative: () => './unlisted.js',
  'from the root': () => '/unlisted.js',
  'another origin': () => `${other.url}unlisted.js`,
  'without a scheme': () => `//${new URL(other.url).host}/unlisted.js`,
  bare: () => 'unlisted',
  'a longer name': () => './a.js.js',
  'an escape': () => './%61.js',
  'a query': () => './a.js?v=1',
  empty: () => '',
  'the manifest': () => '/signedimp-manifest.txt',
  'the name of a prototype': () => '__proto__',
}

attack(59, 'without a map, unlisted', all, async (page, _, left) => {
  for (const path of ['unlisted.js', 'assets/unlisted.js', 'assets/a.js.js'])
    app.site.reply(path, { body: evilStatement })
  other.reply('unlisted.js', { body: evilStatement })
  await starts(page, left)
  for (const [title, specifier] of Object.entries(specifiers))
    assert.match(await openAny(page, specifier()), /^ERR_SIGNEDIMP_UNLISTED /, title)
  await nothingEvil(page)
  return 'refused ERR_SIGNEDIMP_UNLISTED'
})

attack(
  59,
  'without a map, unlisted, imported by code that is not of the build',
  all,
  async (page, _, left) => {
    app.site.reply('unlisted.js', { body: evilStatement })
    await starts(page, left)
    await page.evaluate(`import('/unlisted.js')`)
    assert.is((await glance(page)).evil, 1)
    return 'documented limit: without a map, only imports by signed code are checked; what else runs may import anything'
  },
)

const locals = {
  data: `'data:text/javascript,${encodeURIComponent(evilStatement)}'`,
  blob: `URL.createObjectURL(new Blob(['${evilStatement}'], { type: 'text/javascript' }))`,
  javascript: `'javascript:${evilStatement}'`,
  about: `'about:blank'`,
}

attack(60, 'without a map, local URL', all, async (page, _, left) => {
  await starts(page, left)
  for (const [name, local] of Object.entries(locals)) {
    const said = await page.evaluate(`app.any(${local}).then(() => 'ran', ({ code }) => code)`)
    assert.is(said, 'ERR_SIGNEDIMP_UNLISTED', name)
  }
  await nothingEvil(page)
  return 'refused ERR_SIGNEDIMP_UNLISTED'
})

/** What is loaded before the bootstrap, as HTML: how often the page's own unchecked tag runs the attacker's code. */
const before: Record<string, [attack: number, head: string, own: number]> = {
  'modulepreload of a chunk': [58, `<link rel="modulepreload" href="/${file}">`, 0],
  'modulepreload of what it imports': [58, `<link rel="modulepreload" href="/${shared}">`, 0],
  'preload of a chunk': [97, `<link rel="preload" as="script" crossorigin href="/${file}">`, 0],
  'module tag of a chunk': [97, `<script type="module" src="/${shared}"></script>`, 1],
}

for (const number of [58, 97])
  attack(
    number,
    'without a map, loaded before',
    everyRow(
      Object.fromEntries(Object.entries(before).filter(([, [attacked]]) => attacked === number)),
    ),
    async (page, _, variant) => {
      const [left, row] = rowOf(variant)
      const [, head, own] = before[row]!
      app.site.tamper(file, 'changed')
      app.site.tamper(shared, 'changed')
      // Its own tag is part of the trust root, and may run before or after the page is looked at.
      app.site.reply('index.html', {
        type: 'text/html; charset=utf-8',
        headers: { 'content-security-policy': policies[left] },
        body: app.honest('index.html').toString().replace('<head>', `<head>${head}`),
      })
      await page.goto(app.site.url)
      const { alert } = await look(page)
      if (left === 'tags' && alert !== '') {
        // Tags refuse to start beside one.
        assert.is(alert, 'ERR_SIGNEDIMP_NOT_ENFORCEABLE a modulepreload')
        await nothingEvil(page, 'index')
        return 'refused ERR_SIGNEDIMP_NOT_ENFORCEABLE'
      }
      assert.is(await page.evaluate('__signedimp.enforcement'), left)
      const said = await open(page, 'a')
      assert.match(said, /^ERR_SIGNEDIMP_CHANGED assets\/(a|shared)\.js$/)
      const { evil, ran } = await glance(page)
      assert.ok(evil <= own, `code of the attacker ran ${evil} times`)
      assert.not.ok(ran.includes('a'))
      return 'refused ERR_SIGNEDIMP_CHANGED'
    },
  )

attack(63, 'without a map, deep static import', all, async (page, _, left) => {
  app.site.tamper(shared, 'changed')
  await starts(page, left)
  assert.is(await open(page, 'a'), `ERR_SIGNEDIMP_CHANGED ${shared}`)
  assert.is(await open(page, 'solo'), 'solo')
  await nothingEvil(page, 'a', 'shared')
  return 'refused ERR_SIGNEDIMP_CHANGED'
})

attack(101, 'without a map, fragment', all, async (page, _, left) => {
  app.site.tamper('assets/b.js', 'changed')
  await starts(page, left)
  const same = "Promise.all([app.any('./a.js#x'), app.a()]).then(([x, a]) => x === a)"
  assert.is(await page.evaluate(same), true)
  assert.is(await openAny(page, './b.js#x'), 'ERR_SIGNEDIMP_CHANGED assets/b.js')
  await nothingEvil(page, 'b')
  return 'refused ERR_SIGNEDIMP_CHANGED'
})

attack(113, 'without a map, another module was imported before', all, async (page, _, left) => {
  app.site.reply('other.js', { body: 'globalThis.other = 1' })
  app.site.reply('unlisted.js', { body: evilStatement })
  app.site.tamper(file, 'changed')
  const script = `import('/other.js')`
  await startsWithout(app, page, left as Enforcement, 'a', 'CHANGED', { script })
  assert.is(await openAny(page, '/unlisted.js'), 'ERR_SIGNEDIMP_UNLISTED /unlisted.js')
  await nothingEvil(page)
  return 'refused ERR_SIGNEDIMP_CHANGED'
})

attack(114, 'without a map, import.meta.url after a redirect', all, async (page, _, left) => {
  app.site.tamper('assets/solo.js', 'redirected-same')
  await starts(page, left)
  const said = await page.evaluate(`app.solo().then(({ url }) => url, ({ code }) => code)`)
  if (left === 'blob') assert.is(said, 'ERR_SIGNEDIMP_CHANGED')
  else assert.is(said, `${app.site.url}assets/solo.js`)
  await nothingEvil(page)
  return left === 'blob' ? 'refused ERR_SIGNEDIMP_CHANGED' : 'ok import.meta.url is what was signed'
})

attacks.run()
