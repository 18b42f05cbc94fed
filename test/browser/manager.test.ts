import type { KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import type { SignedImpError } from '../../src/errors.ts'
import { toTrustedKey } from '../../src/keys/public.ts'
import { buildSigned, pageManifestOf, serveApp, type TestSite } from '../support/app.ts'
import { engines, inEngines, type EngineName, type Page } from '../support/browsers.ts'
import { buildEntries, handWritten } from '../support/entry-app.ts'
import { root as checkout } from '../support/files.ts'
import { blocksOf, readDocument, sectionOf } from '../support/markdown.ts'
import {
  addRoot,
  buildWithEsbuild,
  hostScript,
  importNames,
  openHost,
  pemOf,
  refusalsOf,
  serveHost,
  signFolder,
} from '../support/roots.ts'

// A page that loads what others signed, from other origins: in a page that nobody signed, and in signed ones.

const folders: Record<string, string> = {}
const sites: Record<string, TestSite> = {}
const keys: Record<string, KeyObject> = {}

test.before(async () => {
  for (const [name, kind] of [
    ['rollup', 'rsa-pss'],
    ['esbuild', 'ecdsa-p256'],
    ['hand', 'ed25519'],
  ] as const)
    keys[name] = await generateKey(kind)
  const assets = { 'data.json': '{"a":[1]}', 'look.css': 'p{}' }
  folders.rollup = await buildEntries(keys.rollup, { assets, signed: { name: 'rollup', build: 7 } })
  folders.esbuild = await buildWithEsbuild(keys.esbuild!, 'esbuild')
  folders.hand = await signFolder(keys.hand!, 'hand', {
    'alone.js': `globalThis.alone = 1\nexport const word = 'alone'\n`,
    'needy.js': `import { word } from './alone.js'\nexport const said = word\n`,
    'far.js': `export*from/**/"${'https'}://x.invalid/x.js"\n`,
    'page.html': '<p>signed</p>',
  })
  const circle = {
    'src/a.js': `import { shared } from './shared.js'\nimport { text as b } from './b.js'\nran.push('a')\nexport const text = 'a ' + shared[0]\nexport const both = () => text + b\nexport const url = import.meta.url\n`,
    'src/main.js': `import { SignedImportManager } from ${JSON.stringify(join(checkout, 'dist/runtime.js'))}
${hostScript.replace(/^import.*/, '')}globalThis.ran = []
globalThis.app = { a: () => import('./a.js') }
`,
  }
  folders.signedHost = await buildSigned(keys.hand!, { files: circle, signed: { name: 'host' } })
  for (const [name, folder] of Object.entries(folders))
    sites[name] = await serveApp(folder, { cors: true })
  sites.third = await serveApp(folders.rollup, { cors: true })
  sites.host = await serveHost()
})

test.after(async () => {
  for (const site of Object.values(sites)) await site.close()
})

const at = (name: string, path = ''): string => sites[name]!.url + path
const trust = (name: string) => ({ name, keys: [pemOf(keys[name]!)] })
const reset = () => Object.values(sites).forEach((site) => site.reset())

/** Opens the host page, and adds roots to its manager. */
async function open(page: Page, ...names: string[]): Promise<void> {
  reset()
  await openHost(page, at('host'))
  for (const name of names) assert.is(await addRoot(page, at(name), trust(name)), 'ok')
}

interface Remote {
  url: string
  shared: unknown
  word: string
  throughRight(): string
  lazy(): Promise<{ text: string; same: unknown; url: string }>
  open(specifier: string, options?: object): Promise<{ default: unknown }>
}

type Globals = {
  manager: {
    import<T = Remote>(url: string): Promise<T>
    fetch(url: string, init?: object): Promise<Response>
    verify(url: string, bytes: unknown): Promise<void>
    remove(base: string): boolean
  }
  outcome(work: Promise<unknown>): Promise<string>
  ran: string[]
}

interface HostGlobals {
  SignedImportManager: typeof import('../../src/runtime.ts').SignedImportManager
  told: string[]
  thrown: string[]
}

const allNames = 'a text,default,fail,lazy,open,throughRight,url,word'

/** What a page sees of the remote app. */
const look = (page: Page, url: string) =>
  page.evaluate(async (wanted) => {
    const { manager } = globalThis as unknown as Globals
    const [main, again] = await Promise.all([
      manager.import(wanted),
      manager.import(`${wanted}#again`),
    ])
    const lazy = await main.lazy()
    return {
      isOne: main === again,
      isShared: lazy.same === (main as unknown as Record<string, unknown>)['a text'],
      word: main.word,
      circle: main.throughRight(),
      text: lazy.text,
      urls: [main.url, lazy.url],
      registry: typeof (globalThis as Record<string, unknown>).__signedimp,
    }
  }, url)

for (const [name, main, lazy] of [
  ['rollup', 'mai_.js', 'deep/lazy.js'],
  ['esbuild', 'mai_.js', 'lazy'],
] as const)
  inEngines(
    test,
    `what ${name} built, on another origin: an entry, its lazy chunks, its URLs`,
    async (page) => {
      await open(page, name)
      assert.is(await importNames(page, at(name, 'main.js')), allNames)
      const seen = await look(page, at(name, 'main.js'))
      assert.ok(seen.isOne)
      assert.ok(seen.isShared)
      assert.equal([seen.word, seen.circle, seen.text], ['café', 'leftright', 'lazy caféleft'])
      assert.is(seen.urls[0], at(name, main))
      assert.ok(seen.urls[1]!.startsWith(at(name, lazy)), seen.urls[1])
      assert.is(seen.registry, 'undefined')
      const ran = await page.evaluate(() => (globalThis as unknown as Globals).ran)
      assert.is(ran.filter((one) => one === 'shared').length, 1)
      assert.equal(await refusalsOf(page), [])
    },
  )

inEngines(
  test,
  'roots whose chunks have the same paths stay apart, and from an entry that the page starts',
  async (page) => {
    reset()
    const tag = `<script type="module" src="${at('third', 'main.js')}"></script>`
    sites.host!.reply(
      'hand.html',
      handWritten(`${tag}<script type="module" src="/host.js"></script>`),
    )
    await openHost(page, at('host', 'hand.html'))
    await page.waitFor('globalThis.app')
    await page.evaluate('(globalThis.own = app) && 1')
    for (const name of ['rollup', 'esbuild'])
      assert.is(await addRoot(page, at(name), trust(name)), 'ok')
    for (const name of ['rollup', 'esbuild']) {
      const { urls, registry } = await look(page, at(name, 'main.js'))
      assert.equal([urls[0], registry], [at(name, 'mai_.js'), 'object'])
    }
    const own = await page.evaluate(() =>
      (globalThis as unknown as { own: Remote }).own.lazy().then(({ url }) => url),
    )
    assert.is(own.replace(/#.*/, ''), at('third', 'deep/lazy.js'))
    assert.match(
      await addRoot(page, at('third'), trust('rollup')),
      /^TypeError: "base" \S+ shares URLs with /,
    )
    const said = await page.evaluate(
      async (one, other) => {
        const { manager, outcome } = globalThis as unknown as Globals
        const { open: openIn } = await manager.import(one)
        const json = openIn('./data.json', { with: { type: 'json' } })
        return [await outcome(openIn(other)), await outcome(json.then((m) => JSON.stringify(m)))]
      },
      at('rollup', 'main.js'),
      at('esbuild', 'main.js'),
    )
    assert.equal(said, [`UNLISTED ${at('esbuild', 'main.js')}`, '{"default":{"a":[1]}}'])
  },
)

inEngines(
  test,
  'a page that is signed itself, with the manager in its app: both are checked',
  async (page) => {
    reset()
    await openHost(page, at('signedHost'))
    await page.evaluate('(globalThis.own = app) && 1')
    assert.is(await addRoot(page, at('rollup'), trust('rollup')), 'ok')
    assert.is(
      (await look(page, at('rollup', 'main.js'))).registry,
      'object',
      'the page has a registry of its own',
    )
    sites.signedHost!.tamper('assets/a.js', 'changed')
    sites.rollup!.tamper('deep/lazy.js', 'changed')
    const own = await page.evaluate(() => {
      const { own: app, outcome } = globalThis as unknown as Globals & {
        own: { a(): Promise<{ text: string }> }
      }
      return outcome(app.a())
    })
    assert.is(own, 'CHANGED assets/a.js')
    assert.match(
      await addRoot(page, at('signedHost', 'plugins/'), trust('hand')),
      'shares URLs with',
    )
  },
)

inEngines(test, 'what a page started in the build that it came from', async (page) => {
  await open(page)
  const options = { ...trust('hand'), name: 'host' }
  const base = at('signedHost')
  // Its page manifest has what pages load; its main manifest, everything.
  for (const manifest of [pageManifestOf(folders.signedHost!), 'signedimp-manifest.txt']) {
    assert.is(await addRoot(page, base, { ...options, manifest }), 'ok')
    const text = await page.evaluate(async (url) => {
      Object.assign(globalThis, { ran: [] })
      const { manager } = globalThis as unknown as Globals
      const a = await manager.import<{ both(): string; url: string }>(url)
      return [a.both(), a.url]
    }, `${base}assets/a.js`)
    assert.equal(text, ['a caféb café', `${base}assets/a.js`])
    assert.is(
      await page.evaluate((url) => (globalThis as unknown as Globals).manager.remove(url), base),
      true,
    )
  }
})

inEngines(
  test,
  'a folder that no bundler made: what imports nothing',
  async (page) => {
    await open(page, 'hand')
    assert.is(await importNames(page, at('hand', 'alone.js')), 'word')
    for (const path of ['needy.js', 'far.js'])
      assert.is(await importNames(page, at('hand', path)), `NOT_ENFORCEABLE ${path}`)
    assert.equal(
      sites.host!.requests.filter(({ path }) => path.includes('x.js')),
      [],
    )
  },
  { engines: ['webkit'] },
)

/** What `script-src` is, and whether roots are loaded. */
const policies: [policy: string, works: boolean, where?: EngineName[]][] = [
  [`script-src 'self'`, false, ['chromium', 'firefox']],
  [`script-src 'self' blob:`, true, ['firefox']],
  // Where blobs run by tags only.
  [`script-src 'self' 'nonce-abc'`, true],
  [`script-src 'nonce-abc'`, true, ['webkit']],
  [`script-src 'nonce-abc' 'strict-dynamic'`, true, ['chromium']],
  [`require-trusted-types-for 'script'; trusted-types signedimp`, true, ['chromium']],
  [`require-trusted-types-for 'script'; trusted-types other`, false, ['chromium']],
]

for (const [policy, works, where = engines] of policies)
  inEngines(
    test,
    policy,
    async (page) => {
      reset()
      sites.host!.reply('index.html', {
        type: 'text/html',
        headers: { 'content-security-policy': policy },
      })
      await openHost(page, at('host'))
      const added = await addRoot(page, at('rollup'), trust('rollup'))
      if (!works) {
        assert.is(added, 'NOT_ENFORCEABLE undefined')
        assert.equal(await refusalsOf(page), ['ERR_SIGNEDIMP_NOT_ENFORCEABLE undefined'])
        return assert.match(await importNames(page, at('rollup', 'main.js')), /^UNLISTED /)
      }
      assert.is(added, 'ok')
      assert.is((await look(page, at('rollup', 'main.js'))).text, 'lazy caféleft')
      sites.rollup!.tamper('other.js', 'changed')
      assert.is(await importNames(page, at('rollup', 'other.js')), 'CHANGED other.js')
    },
    { engines: where },
  )

inEngines(
  test,
  'what is fetched was checked, and looks like an answer of the server',
  async (page) => {
    await open(page, 'rollup', 'hand')
    const seen = await page.evaluate(
      async (url) => {
        const { manager } = globalThis as unknown as Globals
        const response = await manager.fetch(`${url}#x`, { headers: { accept: '*/*' } })
        const { status, ok, headers } = response
        return [response.url, status, ok, headers.get('content-type'), await response.json()]
      },
      at('rollup', 'data.json'),
    )
    assert.equal(seen, [
      at('rollup', 'data.json'),
      200,
      true,
      'application/json; charset=utf-8',
      { a: [1] },
    ])
    sites.rollup!.tamper('look.css', 'changed')
    sites.hand!.tamper('page.html', 'changed')
    sites.rollup!.tamper('data.json', 'redirected', 'look.css')
    const fetched = (url: string, init = {}) =>
      page.evaluate(
        (wanted, given) => {
          const { manager, outcome } = globalThis as unknown as Globals
          return outcome(manager.fetch(wanted, given).then((response) => response.text()))
        },
        url,
        init,
      )
    assert.is(await fetched(at('rollup', 'look.css')), 'CHANGED look.css')
    assert.is(await fetched(at('hand', 'page.html')), 'CHANGED page.html')
    assert.is(await fetched(at('rollup', 'data.json')), 'CHANGED data.json')
    assert.is(await fetched(at('rollup', 'data.json?x')), `UNLISTED ${at('rollup', 'data.json?x')}`)
    assert.is(await fetched(at('host', 'host.js')), `UNLISTED ${at('host', 'host.js')}`)
    for (const init of [{ headers: { Range: 'bytes=0-1' } }, { method: 'POST' }])
      assert.match(await fetched(at('rollup', 'main.js'), init), /^TypeError: "\w+" must /)
    const unseen = await fetched(at('rollup', 'main.js'), { mode: 'no-cors' })
    assert.is(unseen, 'NOT_ENFORCEABLE main.js')
    sites.rollup!.tamper('data.json', undefined)
    const copy = await page.evaluate(
      async (wanted) => {
        const { manager } = globalThis as unknown as Globals
        const request = new Request(wanted, { headers: { accept: 'x/y' } })
        const response = await manager.fetch(request as never, { cache: 'no-store' })
        return [response.type, response.redirected, await response.clone().json()]
      },
      at('rollup', 'data.json'),
    )
    assert.equal(copy, ['cors', false, { a: [1] }])
    const aborted = await page.evaluate(
      (url) => {
        const { manager, outcome } = globalThis as unknown as Globals
        const controller = new AbortController()
        const work = manager.fetch(url, { signal: controller.signal })
        controller.abort()
        return outcome(work)
      },
      at('rollup', 'main.js'),
    )
    assert.match(aborted, /^AbortError|^20 /)
  },
)

inEngines(
  test,
  'bytes that came in another way',
  async (page) => {
    await open(page, 'hand')
    const text = readFileSync(join(folders.hand!, 'alone.js'), 'utf8')
    const said = await page.evaluate(
      async (url, content) => {
        const { manager, outcome } = globalThis as unknown as Globals
        const bytes = new TextEncoder().encode(`+${content}`)
        // A view has its own bounds, and its owner may go on writing to it.
        const view = bytes.subarray(1)
        const early = manager.verify(url, view)
        view.fill(0)
        return Promise.all(
          [
            early,
            manager.verify(url, bytes),
            manager.verify(`${url}x`, bytes),
            manager.verify(url, content),
          ].map(outcome),
        )
      },
      at('hand', 'alone.js'),
      text,
    )
    assert.equal(said, [
      'ok',
      'CHANGED alone.js',
      `UNLISTED ${at('hand', 'alone.jsx')}`,
      'TypeError: "bytes" must be an ArrayBuffer or a view of one, got string',
    ])
    assert.equal((await refusalsOf(page)).sort(), [
      'ERR_SIGNEDIMP_CHANGED alone.js',
      `ERR_SIGNEDIMP_UNLISTED ${at('hand', 'alone.jsx')}`,
    ])
  },
  { engines: ['firefox'] },
)

inEngines(test, 'what was refused is imported again once its reason is gone', async (page) => {
  await open(page, 'rollup')
  for (const [way, code] of [
    ['dropped', 'NETWORK'],
    ['changed', 'CHANGED'],
  ] as const) {
    sites.rollup!.tamper('shared.js', way)
    assert.is(await importNames(page, at('rollup', 'main.js')), `${code} shared.js`)
    assert.is(await importNames(page, at('rollup', 'other.js')), `${code} shared.js`)
  }
  reset()
  const { text, isShared } = await look(page, at('rollup', 'main.js'))
  assert.equal([text, isShared], ['lazy caféleft', true])
  await importNames(page, at('rollup', 'other.js'))
  const ran = await page.evaluate(() => (globalThis as unknown as Globals).ran)
  assert.is(ran.filter((one) => one === 'shared').length, 1)
})

inEngines(test, 'each refusal is told once, to a function too', async (page) => {
  reset()
  await page.goto(at('host'))
  await page.waitFor("'outcome' in globalThis")
  await page.evaluate(() => {
    const { SignedImportManager } = globalThis as unknown as HostGlobals
    const [told, thrown]: string[][] = [[], []]
    const onRefusal = ({ code, path }: SignedImpError) => {
      told!.push(`${code} ${path}`)
      throw new Error('planned failure')
    }
    addEventListener('error', ({ message }) => thrown!.push(message))
    const manager = new SignedImportManager({ onRefusal }).install()
    Object.assign(globalThis, { told, thrown, manager })
  })
  assert.is(await addRoot(page, at('rollup'), trust('rollup')), 'ok')
  sites.rollup!.tamper('other.js', 'changed')
  assert.is(await importNames(page, at('rollup', 'other.js')), 'CHANGED other.js')
  assert.is(await importNames(page, at('rollup', 'none.js')), `UNLISTED ${at('rollup', 'none.js')}`)
  const told = await page.evaluate(() => (globalThis as unknown as HostGlobals).told)
  assert.equal(told, await refusalsOf(page))
  assert.is(told.length, 2)
  const thrown = await page.evaluate(() => (globalThis as unknown as HostGlobals).thrown)
  assert.is(thrown.filter((message) => message.includes('planned failure')).length, 2)
})

inEngines(
  test,
  'a root that is removed: nothing new of it runs, and what runs goes on',
  async (page) => {
    await open(page, 'rollup', 'esbuild')
    await importNames(page, at('rollup', 'main.js'))
    sites.rollup!.tamper('other.js', 'slow', '600')
    const said = await page.evaluate(async (base) => {
      const { manager, outcome } = globalThis as unknown as Globals
      const main = await manager.import(`${base}main.js`)
      const flying = outcome(manager.import(`${base}other.js`))
      const fetching = outcome(manager.fetch(`${base}other.js`))
      await new Promise((settle) => setTimeout(settle, 200))
      const removed = [manager.remove(base), manager.remove(base)]
      return {
        removed,
        refused: await Promise.all([
          flying,
          fetching,
          outcome(manager.import(`${base}main.js`)),
          outcome(main.lazy()),
        ]),
        running: main.throughRight(),
        other: 'other' in globalThis,
      }
    }, at('rollup'))
    assert.equal(said, {
      removed: [true, false],
      refused: [
        'UNLISTED other.js',
        'UNLISTED other.js',
        `UNLISTED ${at('rollup', 'main.js')}`,
        'UNLISTED deep/lazy.js',
      ],
      running: 'leftright',
      other: false,
    })
    assert.is(await importNames(page, at('esbuild', 'main.js')), allNames)
    // It may come back, and its modules are then others.
    assert.is(await addRoot(page, at('rollup'), trust('rollup')), 'ok')
    assert.is(await importNames(page, at('rollup', 'other.js')), '')
  },
)

inEngines(test, 'keys as people have them', async (page) => {
  await open(page)
  const key = toTrustedKey(keys.rollup!)
  const forms = [pemOf(keys.rollup!), pemOf(keys.rollup!).replaceAll('\n', '\\n'), key.spki, key]
  for (const form of forms) {
    assert.is(await addRoot(page, at('rollup'), { name: 'rollup', keys: [form] }), 'ok')
    await page.evaluate(
      (base) => (globalThis as unknown as Globals).manager.remove(base),
      at('rollup'),
    )
  }
  assert.is(
    await addRoot(page, at('rollup'), {
      name: 'rollup',
      keys: [{ ...key, fingerprint: '0'.repeat(64) }],
    }),
    'KEY undefined',
  )
})

inEngines(
  test,
  'the example of the document',
  async (page) => {
    reset()
    const document = readDocument('docs/manager.md')
    const [example] = blocksOf(sectionOf(document, 'Use'), 'js')
    const script = example!
      .replace('signedimp/runtime', '/signedimp/runtime.js')
      .replace('cartKey', JSON.stringify(pemOf(keys.rollup!)))
      .replace("'cart'", "'rollup'")
      .replace('build: 41', 'build: 7')
      .replaceAll('https://apps.example/cart/', at('rollup'))
      .replace('{ mount }', '{ lazy: mount }')
      .replace('mount(document.body)', 'document.title = (await mount()).text')
    sites.host!.reply('host.js', { body: script })
    await page.goto(at('host'))
    assert.is(await page.waitFor('document.title'), 'lazy caféleft')
  },
  { engines: ['chromium'] },
)

test.run()
