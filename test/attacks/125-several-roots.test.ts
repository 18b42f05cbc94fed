import type { KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { evilStatement, type Way } from '../../playground/tamper.ts'
import { generateKey } from '../../src/keys/generate.ts'
import { serveApp, type TestSite } from '../support/app.ts'
import { attack, attacks } from '../support/attack.ts'
import { engines, type Page } from '../support/browsers.ts'
import { buildEntries } from '../support/entry-app.ts'
import { addRoot, importNames, openHost, pemOf, refusalsOf, serveHost } from '../support/roots.ts'

// A page with a manager: what one root, its host or its key can do to another root, to the page, and to the manager.

let host: TestSite
const keys: Record<'one' | 'two', KeyObject> = {
  one: await generateKey('ed25519'),
  two: await generateKey('ed25519'),
}
const folders = { one: '', two: '', older: '' }
const sites: Record<string, TestSite> = {}

attacks.before(async () => {
  const assets = { 'data.json': '{}' }
  folders.one = await buildEntries(keys.one, { assets, signed: { name: 'one', build: 7 } })
  folders.older = await buildEntries(keys.one, { assets, signed: { name: 'one', build: 6 } })
  folders.two = await buildEntries(keys.two, { assets, signed: { name: 'two' } })
  sites.one = await serveApp(folders.one, { cors: true })
  sites.two = await serveApp(folders.two, { cors: true })
  host = await serveHost()
})

attacks.after(async () => {
  for (const site of [host, ...Object.values(sites)]) await site.close()
})

const all = { engines: 'all' } as const
/** What the engine has no part in: for the table of results, everywhere; else one place after the other. */
const spread = (at: number) => ({
  engines: process.env.SIGNEDIMP_FULL ? engines : [engines[at % engines.length]!],
})
const at = (name: 'one' | 'two', path = '') => sites[name]!.url + path
const trust = (name: 'one' | 'two') => ({ name, keys: [pemOf(keys[name])] })

/** Opens a page with both roots. */
async function open(page: Page, ...names: ('one' | 'two')[]): Promise<void> {
  for (const site of [host, ...Object.values(sites)]) site.reset()
  await openHost(page, host.url)
  for (const name of names) assert.is(await addRoot(page, at(name), trust(name)), 'ok')
}

const evil = (page: Page) =>
  page.evaluate(() => (globalThis as unknown as { __evil?: number }).__evil ?? 0)
const ran = (page: Page) =>
  page.evaluate(() => (globalThis as unknown as { ran?: string[] }).ran ?? [])

/** A root whose host lies must be refused before anything runs, while an honest one beside it works. */
async function refusesRoot(page: Page, code: string, options = {}): Promise<string> {
  const said = await addRoot(page, at('one'), { ...trust('one'), ...options })
  assert.is(said.split(' ')[0], code, said)
  assert.match(await importNames(page, at('one', 'main.js')), /^UNLISTED /)
  assert.equal([await evil(page), await ran(page)], [0, []])
  assert.is((await refusalsOf(page)).length, 2)
  assert.match(await importNames(page, at('two', 'main.js')), /^a text,default/)
  return `refused ERR_SIGNEDIMP_${code}`
}

const inFolder = (folder: string, path: string) => readFileSync(join(folder, path))
const main = 'signedimp-manifest.txt'

const answers: [
  attack: number,
  what: string,
  answer: () => void,
  code: string,
  options?: object,
][] = [
  [1, 'no manifest', () => sites.one!.tamper(main, 'missing'), 'MISSING'],
  [2, 'a page in its place', () => sites.one!.tamper(main, 'html'), 'MANIFEST_INVALID'],
  [3, 'cut short', () => sites.one!.tamper(main, 'truncated'), 'SIGNATURE'],
  [
    5,
    "another root's",
    () => sites.one!.reply(main, { body: inFolder(folders.two, main) }),
    'SIGNATURE',
  ],
  [5, "another root's, under its key and the wrong name", () => {}, 'NAME', { name: 'two' }],
  [
    28,
    'of an older build',
    () => sites.one!.reply(main, { body: inFolder(folders.older, main) }),
    'ROLLBACK',
    { build: 7 },
  ],
  [28, 'without the build that is asked for', () => {}, 'ROLLBACK', { build: 8 }],
  [
    35,
    'another one under the name that the page asks for',
    () =>
      sites.one!.reply('signedimp-manifest.0123456789abcdef.txt', {
        body: inFolder(folders.one, main),
      }),
    'MANIFEST_INVALID',
    { manifest: 'signedimp-manifest.0123456789abcdef.txt' },
  ],
  [42, 'redirected', () => sites.one!.tamper(main, 'redirected', 'data.json'), 'NETWORK'],
  [
    42,
    'redirected to itself elsewhere',
    () => sites.one!.tamper(main, 'redirected-same'),
    'NETWORK',
  ],
]

for (const [index, [number, what, answer, code, options]] of answers.entries())
  attack(number, `the manifest of a root: ${what}`, spread(index), async (page) => {
    await open(page, 'two')
    answer()
    return refusesRoot(page, code, options)
  })

attack(
  28,
  'the manifest of a root: of an older build, without a build to ask for',
  spread(1),
  async (page) => {
    await open(page)
    sites.one!.reply(main, { body: inFolder(folders.older, main) })
    assert.is(await addRoot(page, at('one'), trust('one')), 'ok')
    return 'documented limit: without "build", a root may be any build that its key ever signed'
  },
)

const chunks: [attack: number, way: Way, detail: string | undefined, code: string][] = [
  [33, 'swapped', 'early.js', 'CHANGED'],
  [37, 'changed-first', undefined, 'REFUSED'],
  [41, 'emptied', undefined, 'CHANGED'],
  [42, 'redirected', 'early.js', 'CHANGED'],
  [42, 'redirected-elsewhere', 'early.js', 'CHANGED'],
  [43, 'truncated', undefined, 'CHANGED'],
  [43, 'error', undefined, 'NETWORK'],
  [44, 'changed', undefined, 'CHANGED'],
  [114, 'redirected-same', undefined, 'CHANGED'],
  [120, 'html', undefined, 'MISSING'],
  [120, 'missing', undefined, 'MISSING'],
]

const targets = ['shared.js', 'main.js']
for (const [index, [number, way, detail, code]] of chunks.entries()) {
  const variants = process.env.SIGNEDIMP_FULL ? targets : [targets[index % 2]!]
  const title = `a module of a root, ${way}`
  attack(number, title, { ...spread(index), variants }, async (page, _, path) => {
    await open(page, 'one', 'two')
    sites.one!.tamper(path, way, detail)
    assert.is(await importNames(page, at('one', 'main.js')), `${code} ${path}`)
    assert.equal([await evil(page), await ran(page)], [0, []])
    assert.equal(await refusalsOf(page), [`ERR_SIGNEDIMP_${code} ${path}`])
    assert.match(await importNames(page, at('two', 'main.js')), /^a text,default/)
    return `refused ERR_SIGNEDIMP_${code}`
  })
}

attack(45, 'the module of a root, changed later', spread(0), async (page) => {
  await open(page, 'one')
  sites.one!.tamper('shared.js', 'changed-later')
  assert.match(await importNames(page, at('one', 'main.js')), /^a text,default/)
  assert.match(await importNames(page, at('one', 'other.js')), /^$/)
  assert.is(await evil(page), 0)
  return 'ok only the signed bytes ran'
})

const strange = ['unlisted.js', 'main.js?x', 'deep/../x.js', 'MAIN.js', '%6dain.js', './/main.js']

attack(51, 'a module of a root, after its host is honest again', all, async (page) => {
  await open(page, 'one')
  sites.one!.tamper('shared.js', 'changed')
  assert.is(await importNames(page, at('one', 'main.js')), 'CHANGED shared.js')
  sites.one!.reset()
  assert.match(await importNames(page, at('one', 'main.js')), /^a text,default/)
  assert.is(await evil(page), 0)
  return 'ok only the signed bytes ran'
})

attack(59, 'what a root does not list', all, async (page) => {
  await open(page, 'one')
  sites.one!.reply('unlisted.js', { body: evilStatement })
  for (const path of strange)
    assert.match(await importNames(page, at('one', path)), /^UNLISTED /, path)
  assert.is(await evil(page), 0)
  return 'refused ERR_SIGNEDIMP_UNLISTED'
})

const elsewhere = [
  'data:text/javascript,1',
  'blob:x',
  'javascript:1',
  'https://u@127.0.0.1/main.js',
  '/host.js',
]

attack(60, 'what no root holds', spread(2), async (page) => {
  await open(page, 'one')
  for (const url of elsewhere) assert.match(await importNames(page, url), /^UNLISTED /, url)
  return 'refused ERR_SIGNEDIMP_UNLISTED'
})

// One root and another.

const spellings: Record<string, (url: string) => string> = {
  equal: (url) => url,
  'without its slash': (url) => url.slice(0, -1),
  nested: (url) => `${url}deep/`,
  'in other letters': (url) => `${url}DEEP/`,
  escaped: (url) => `${url}%64eep/`,
  'with dots': (url) => `${url}x/..`,
  'with a doubled slash': (url) => `${url}/deep/`,
}

attack(125, 'a second root over the first one', all, async (page) => {
  await open(page, 'one')
  // Signed by the other key, and right there: but what it lists is the first root's to vouch for.
  for (const [how, spell] of Object.entries(spellings)) {
    const said = await addRoot(page, spell(at('one')), trust('two'))
    assert.match(said, /^TypeError: "base" \S+ shares URLs with /, how)
  }
  assert.match(await importNames(page, at('one', 'main.js')), /^a text,default/)
  return 'refused TypeError'
})

attack(125, "one root's key for another root's files", spread(1), async (page) => {
  await open(page, 'two')
  // Root two's host serves what the key of root one signed, under the same paths.
  sites.two!.reply('shared.js', { body: inFolder(folders.one, 'shared.js') })
  sites.two!.reply('early.js', { body: inFolder(folders.two, 'left.js') })
  assert.is(await addRoot(page, at('one'), trust('one')), 'ok')
  assert.is(await importNames(page, at('two', 'main.js')), 'CHANGED early.js')
  assert.equal(await ran(page), [])
  return 'refused ERR_SIGNEDIMP_CHANGED'
})

attack(125, "a module of one root imports another root's", all, async (page) => {
  await open(page, 'one', 'two')
  const said = await page.evaluate(
    async (own, other) => {
      type Opener = { open(url: string): Promise<unknown> }
      const { manager, outcome } = globalThis as unknown as {
        manager: { import(url: string): Promise<Opener> }
        outcome(work: Promise<unknown>): Promise<string>
      }
      return outcome((await manager.import(own)).open(other))
    },
    at('one', 'main.js'),
    at('two', 'other.js'),
  )
  assert.is(said, `UNLISTED ${at('two', 'other.js')}`)
  return 'refused ERR_SIGNEDIMP_UNLISTED'
})

attack(125, 'a second manager on the page', all, async (page) => {
  await open(page, 'one')
  // Another copy, as another app on the page would bring it.
  const said = await page.evaluate(async () => {
    const { SignedImportManager: Other } = (await import(
      '/signedimp/runtime.js?other' as string
    )) as typeof import('../../src/runtime.ts')
    const codeOf = (work: () => unknown) => {
      try {
        return work() && 'ran'
      } catch (error) {
        return (error as { code?: string }).code ?? (error as Error).name
      }
    }
    const name = '__signedimpManager'
    const before = Reflect.get(globalThis, name)
    return {
      installed: codeOf(() => new Other().install()),
      assigned: Reflect.set(globalThis, name, 1),
      defined: codeOf(() => Object.defineProperty(globalThis, name, { value: 1 })),
      deleted: Reflect.deleteProperty(globalThis, name),
      same: Reflect.get(globalThis, name) === before,
      changed: Reflect.set(before, 'import', 1),
      trusting: ['addKey', 'addRoot', 'remove'].filter((one) => one in before),
    }
  })
  assert.equal(said, {
    installed: 'ERR_SIGNEDIMP_NOT_ENFORCEABLE',
    assigned: false,
    defined: 'TypeError',
    deleted: false,
    same: true,
    changed: false,
    trusting: [],
  })
  assert.match(await importNames(page, at('one', 'main.js')), /^a text,default/)
  return 'refused ERR_SIGNEDIMP_NOT_ENFORCEABLE'
})

const planted = {
  'by a script': '<script>globalThis.__signedimpManager = {}</script>',
  'by an element': '<img name="__signedimpManager"><form id="__signedimpManager"></form>',
}

attack(
  52,
  'somebody takes the name of the manager first',
  { engines: ['chromium', 'firefox'], variants: Object.keys(planted) },
  async (page, _, how) => {
    for (const site of [host, ...Object.values(sites)]) site.reset()
    const before = planted[how as keyof typeof planted]
    host.reply('planted.html', {
      type: 'text/html',
      body: `<!doctype html><meta charset="utf-8">${before}<script type="module" src="/host.js"></script>`,
    })
    const code = await openHost(page, `${host.url}planted.html`).then(
      () => 'ran',
      (error: { code?: string }) => error.code,
    )
    assert.is(code, 'ERR_SIGNEDIMP_NOT_ENFORCEABLE')
    return `refused ${code}`
  },
)

attack(52, 'somebody takes the name of the registry', all, async (page) => {
  await open(page)
  await page.evaluate(() => {
    Object.assign(globalThis, {
      __signedimp: { import: () => ({ stolen: 1 }), url: 'https://x.invalid/' },
    })
  })
  assert.is(await addRoot(page, at('one'), trust('one')), 'ok')
  const text = await page.evaluate(
    async (url) => {
      type Main = { lazy(): Promise<{ text: string }> }
      const { manager } = globalThis as unknown as {
        manager: { import(url: string): Promise<Main> }
      }
      return (await (await manager.import(url)).lazy()).text
    },
    at('one', 'main.js'),
  )
  assert.is(text, 'lazy caféleft')
  return "ok modules of a root have their own root's registry"
})

attack(31, "a page manifest of one build beside another build's files", spread(0), async (page) => {
  await open(page)
  const [manifest] = /signedimp-manifest\.[0-9a-f]{16}\.txt/.exec(
    String(inFolder(folders.older, 'main.js')),
  )!
  sites.one!.reply(manifest, { body: inFolder(folders.older, manifest) })
  assert.is(
    await addRoot(page, at('one'), { ...trust('one'), build: 7, manifest }),
    `ROLLBACK undefined`,
  )
  return 'refused ERR_SIGNEDIMP_ROLLBACK'
})

attacks.run()
