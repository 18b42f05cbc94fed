import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { evil } from '../../playground/tamper.ts'
import { generateKey } from '../../src/keys/generate.ts'
import {
  appBundlers,
  buildSigned,
  chunkOf,
  serveApp,
  type SignedAppOptions,
  type TestSite,
} from '../support/app.ts'
import { inEngines, type EngineName, type Page } from '../support/browsers.ts'
import { buildEntries, handWritten } from '../support/entry-app.ts'
import { glance, open, starts } from '../support/visit.ts'

// What is imported again after it was refused, once the reason is gone: the same import works, each module is one
// instance, and what is still wrong is still refused.

const kinds: Record<string, SignedAppOptions> = {
  vite: {},
  esbuild: { bundler: 'esbuild' },
  nonce: { config: { html: { cspNonce: 'abc' } } },
  circle: {
    files: {
      'src/a.js': `import { b } from './b.js'\nran.push('a')\nexport const text = 'a ' + b\n`,
      'src/b.js': `import { text as a } from './a.js'\nran.push('b')\nexport const b = 'b'\nexport const all = () => a\n`,
    },
  },
  throwing: {
    files: {
      'src/solo.js': `ran.push('solo')\nthrow new TypeError('Importing a module script failed.')`,
    },
  },
}
const folders: Record<string, string> = {}
let entries: string

test.before(async () => {
  const key = await generateKey('ed25519')
  for (const [kind, options] of Object.entries(kinds))
    folders[kind] = await buildSigned(key, options)
  entries = await buildEntries(key)
})

/** Serves an app while a test has it. */
async function within(
  kind: string,
  body: (site: TestSite, folder: string) => Promise<void>,
  options = {},
): Promise<void> {
  const folder = folders[kind]!
  const site = await serveApp(folder, options)
  try {
    await body(site, folder)
  } finally {
    await site.close()
  }
}

/** Opens both chunks, which share a module: all have run once, and nothing of an attacker. */
async function opensBoth(page: Page): Promise<void> {
  assert.is(await open(page, 'a'), 'a café')
  assert.is(await open(page, 'b'), 'b café')
  assert.is(await open(page, 'a'), 'a café')
  const { ran, evil: foreign } = await glance(page)
  assert.equal([...ran].sort(), ['a', 'b', 'dep', 'index', 'shared'])
  assert.is(foreign, 0)
}

const portOf = ({ url }: TestSite): number => Number(new URL(url).port)

for (const bundler of appBundlers)
  inEngines(test, `${bundler}: the server is down for a while`, async (page) => {
    const first = await serveApp(folders[bundler]!)
    const port = portOf(first)
    try {
      await starts(page, first)
    } finally {
      await first.close()
    }
    for (let time = 0; time < 2; time++)
      assert.match(await open(page, 'a'), /^ERR_SIGNEDIMP_NETWORK assets\//)
    await within(bundler, () => opensBoth(page), { port })
  })

const failures: Record<string, (site: TestSite, path: string) => void> = {
  'the module itself': (site) => site.tamper('assets/a.js', 'dropped'),
  'what it imports': (site, shared) => site.tamper(shared, 'dropped'),
  'what it imports, changed': (site, shared) => site.tamper(shared, 'changed'),
  'both, missing': (site, shared) => {
    site.tamper('assets/a.js', 'missing')
    site.tamper(shared, 'missing')
  },
}

for (const [title, fail] of Object.entries(failures))
  inEngines(test, `one of two modules that share a third fails: ${title}`, (page) =>
    within('vite', async (site, folder) => {
      await starts(page, site)
      fail(site, chunkOf(folder, 'shared'))
      assert.match(await open(page, 'a'), /^ERR_SIGNEDIMP_(NETWORK|CHANGED|MISSING) /)
      site.reset()
      await opensBoth(page)
    }),
  )

inEngines(test, 'a module that shares another with one that runs', (page) =>
  within('vite', async (site) => {
    await starts(page, site)
    assert.is(await open(page, 'b'), 'b café')
    site.tamper('assets/a.js', 'dropped')
    assert.is(await open(page, 'a'), 'ERR_SIGNEDIMP_NETWORK assets/a.js')
    site.reset()
    await opensBoth(page)
  }),
)

inEngines(test, 'changed bytes are refused at each attempt, whatever came before', (page) =>
  within('vite', async (site, folder) => {
    await starts(page, site)
    site.tamper('assets/a.js', 'dropped')
    assert.is(await open(page, 'a'), 'ERR_SIGNEDIMP_NETWORK assets/a.js')
    site.tamper('assets/a.js', 'changed')
    assert.is(await open(page, 'a'), 'ERR_SIGNEDIMP_CHANGED assets/a.js')
    // The second fetch, which explains, gets the signed bytes; every other request does not.
    const bytes = readFileSync(join(folder, 'assets/a.js'))
    site.tamper('assets/a.js', undefined)
    site.reply('assets/a.js', (request) => (request % 2 === 0 ? { body: evil(bytes, 'a.js') } : {}))
    for (let time = 0; time < 4; time++) {
      const said = await open(page, 'a')
      if (said !== 'a café') assert.match(said, /^ERR_SIGNEDIMP_(CHANGED|REFUSED) assets\/a.js$/)
      assert.is((await glance(page)).evil, 0)
    }
    site.reply('assets/a.js', {})
    await opensBoth(page)
  }),
)

inEngines(test, 'bytes that a cache keeps', (page) =>
  within(
    'vite',
    async (site, folder) => {
      await starts(page, site)
      const body = evil(readFileSync(join(folder, 'assets/a.js')), 'a.js')
      const headers = { 'cache-control': 'public, max-age=31536000' }
      site.reply('assets/a.js', { body, headers })
      assert.is(await open(page, 'a'), 'ERR_SIGNEDIMP_CHANGED assets/a.js')
      site.reply('assets/a.js', { headers })
      await opensBoth(page)
    },
    { cache: 'max-age' },
  ),
)

inEngines(test, 'several imports at once, when the server is back', (page) =>
  within('vite', async (site, folder) => {
    await starts(page, site)
    const openAll = () => Promise.all((['a', 'b', 'a'] as const).map((name) => open(page, name)))
    for (const path of ['assets/a.js', 'assets/b.js', chunkOf(folder, 'shared')])
      site.tamper(path, 'dropped')
    for (const said of await openAll()) assert.match(said, /^ERR_SIGNEDIMP_NETWORK /)
    site.reset()
    assert.equal(await openAll(), ['a café', 'b café', 'a café'])
    await opensBoth(page)
  }),
)

/** Whether an engine surely keeps a failure. Chromium 150 does, newer ones may not. */
const isKept = (name: EngineName): boolean => name === 'firefox'

/** Whether what is linked in memory may run: where import() of it is blocked, a tag with the nonce may still do so. */
const policies: [policy: string, isPossible: boolean][] = [
  ["script-src 'nonce-abc'", true],
  [
    "script-src 'self' 'nonce-abc'; require-trusted-types-for 'script'; trusted-types signedimp",
    true,
  ],
  ["script-src 'self' 'unsafe-inline' data:", false],
]

for (const [policy, isPossible] of policies)
  inEngines(test, `under ${policy}`, (page, { name }) =>
    within('nonce', async (site) => {
      const headers = { 'content-security-policy': policy }
      site.reply('index.html', { type: 'text/html; charset=utf-8', headers })
      await starts(page, site)
      site.tamper('assets/a.js', 'dropped')
      assert.is(await open(page, 'a'), 'ERR_SIGNEDIMP_NETWORK assets/a.js')
      site.tamper('assets/a.js', undefined)
      if (isPossible) return opensBoth(page)
      if (!isKept(name))
        return assert.match(await open(page, 'a'), /^(a café|ERR_SIGNEDIMP_REFUSED)/)
      for (let time = 0; time < 2; time++)
        assert.is(await open(page, 'a'), 'ERR_SIGNEDIMP_REFUSED assets/a.js')
      await starts(page, site)
      await opensBoth(page)
    }),
  )

inEngines(test, 'modules that import one another in a circle', (page) =>
  within('circle', async (site) => {
    await starts(page, site)
    site.tamper('assets/a.js', 'dropped')
    assert.is(await open(page, 'a'), 'ERR_SIGNEDIMP_NETWORK assets/a.js')
    site.reset()
    assert.is(await open(page, 'a'), 'a b')
    assert.equal((await glance(page)).ran, ['dep', 'index', 'b', 'a'])
  }),
)

// What a module throws may look like what a browser says.
inEngines(test, 'a module that throws is evaluated once', (page) =>
  within('throwing', async (site) => {
    await starts(page, site)
    for (let time = 0; time < 3; time++) await open(page, 'solo')
    assert.equal((await glance(page)).ran, ['dep', 'index', 'solo'])
  }),
)

inEngines(test, 'what links in memory is checked, and asked for again', (page, { name }) =>
  within('vite', async (site, folder) => {
    const linker = readdirSync(folder).find((file) => file.startsWith('signedimp-blob-'))!
    await starts(page, site)
    site.tamper('assets/a.js', 'dropped')
    assert.is(await open(page, 'a'), 'ERR_SIGNEDIMP_NETWORK assets/a.js')
    site.reset()
    if (!isKept(name)) return opensBoth(page)
    for (const [way, code] of [
      ['changed', 'REFUSED'],
      ['dropped', 'NETWORK'],
    ] as const) {
      site.tamper(linker, way)
      assert.match(await open(page, 'a'), new RegExp(`^ERR_SIGNEDIMP_${code} .*${linker}$`))
    }
    site.reset()
    await opensBoth(page)
  }),
)

/** What becomes of an entry's lazy chunk, which shares a module with it: its text, if that is the one instance. */
const openLazy = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const { app } = globalThis as unknown as {
      app: { lazy(): Promise<{ text: string; same: object }>; shared: object }
    }
    return app.lazy().then(
      ({ text, same }) => (same === app.shared ? text : 'another instance'),
      ({ code, path }) => `${code} ${path}`,
    )
  })

// By a late import map in Chromium and WebKit, in memory in Firefox.
inEngines(test, 'a lazy chunk of an entry without HTML', async (page) => {
  const site = await serveApp(entries)
  try {
    site.reply('index.html', handWritten('<script type="module" src="/main.js"></script>'))
    await page.goto(site.url)
    await page.waitFor('globalThis.app')
    for (const [way, code] of [
      ['dropped', 'NETWORK'],
      ['changed', 'CHANGED'],
    ] as const) {
      site.tamper('deep/lazy.js', way)
      assert.is(await openLazy(page), `ERR_SIGNEDIMP_${code} deep/lazy.js`)
    }
    site.tamper('deep/lazy.js', undefined)
    for (let time = 0; time < 2; time++) assert.is(await openLazy(page), 'lazy caféleft')
    const { ran, evil: foreign } = await glance(page)
    assert.equal([ran.filter((name) => name === 'lazy').length, foreign], [1, 0])
  } finally {
    await site.close()
  }
})

test.run()
