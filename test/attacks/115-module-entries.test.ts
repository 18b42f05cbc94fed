import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { evilStatement, needsOther, ways, type Way } from '../../playground/tamper.ts'
import { generateKey } from '../../src/keys/generate.ts'
import { serveApp, type TestSite } from '../support/app.ts'
import { attack, attacks } from '../support/attack.ts'
import type { EngineName, Page } from '../support/browsers.ts'
import { buildEntries, handWritten, heads, tagOf, visitEntry } from '../support/entry-app.ts'
import { atOutside, outside } from '../support/outside.ts'
import { glance } from '../support/visit.ts'

// The attacks on pages again, for entries that no page of their build starts: under a late import map, and from blobs.

let folder: string
let secondFolder: string
let site: TestSite
let second: TestSite

attacks.before(async () => {
  const key = await generateKey('ed25519')
  folder = await buildEntries(key, {
    assets: { 'data.json': '{}', 'look.css': 'p { color: red }' },
  })
  site = await serveApp(folder)
  secondFolder = await buildEntries(key, { signed: { name: 'second' } })
  second = await serveApp(secondFolder, { cors: true })
})

attacks.after(async () => {
  await site.close()
  await second.close()
})

/** How modules are checked, what brings that about, and where. */
const forms = {
  late: [heads.plain, ['chromium', 'webkit']],
  blob: [heads.map, ['chromium', 'firefox', 'webkit']],
} as const satisfies Record<string, [string, EngineName[]]>
type Form = keyof typeof forms
const eachForm = Object.keys(forms) as Form[]
const all = { engines: 'all' } as const

const visit = (page: Page, form: Form, scripts = tagOf('main.js')) =>
  visitEntry(page, site, scripts, { head: forms[form][0] })

type Result = 'runs' | 'hangs' | 'CHANGED' | 'MISSING' | 'NETWORK' | 'REFUSED'

/** What may become of a file that is tampered with: under a map, and from blobs where that differs. */
const expected: Record<Way, [attack: number, map: Result[], blob?: Result[]]> = {
  swapped: [33, ['CHANGED']],
  'changed-later': [37, ['runs', 'CHANGED'], ['runs']],
  'changed-first': [37, ['runs', 'REFUSED'], ['REFUSED']],
  emptied: [41, ['CHANGED']],
  redirected: [42, ['CHANGED']],
  'redirected-elsewhere': [42, ['CHANGED']],
  truncated: [43, ['CHANGED']],
  error: [43, ['NETWORK']],
  dropped: [43, ['NETWORK']],
  aborted: [43, ['NETWORK']],
  partial: [43, ['runs'], ['NETWORK']],
  changed: [44, ['CHANGED']],
  flipped: [44, ['CHANGED']],
  utf16: [46, ['runs']],
  mime: [47, ['REFUSED'], ['runs']],
  slow: [51, ['runs']],
  charset: [102, ['runs']],
  'redirected-same': [114, ['runs'], ['CHANGED']],
  html: [120, ['MISSING']],
  missing: [120, ['MISSING']],
  endless: [121, ['hangs']],
}

const targets = { main: 'mai_.js', circular: 'left.js', shared: 'shared.js', lazy: 'deep/lazy.js' }
type Target = keyof typeof targets
/** What a way is tried on: for the table of results, everything; else one after the other. */
const targetsOf = (way: Way): string[] => {
  const all = Object.keys(targets)
  const at = Object.keys(ways).indexOf(way) % all.length
  return process.env.SIGNEDIMP_FULL ? all : [all[at]!]
}

for (const form of eachForm)
  for (const number of new Set(Object.values(expected).map(([number]) => number))) {
    const own = (Object.keys(ways) as Way[]).filter((way) => expected[way][0] === number)
    const variants = own.flatMap((way) => targetsOf(way).map((target) => `${way} ${target}`))
    const options = { engines: forms[form][1], variants }
    attack(number, `entry of its own, ${form}`, options, async (page, _, variant) => {
      const [way, target] = variant.split(' ') as [Way, Target]
      site.reset()
      site.tamper(targets[target], way, detailOf(way))
      const result = await resultOf(page, form, way, target)
      const seen = await glance(page)
      assert.is(seen.evil, 0, 'code of the attacker ran')
      const [, map, blob = map] = expected[way]
      assert.ok((form === 'late' ? map : blob).includes(result), result)
      return outcomeOf(result)
    })
  }

function detailOf(way: Way): string | undefined {
  if (way === 'slow') return '300'
  return needsOther.includes(way) ? 'early.js' : undefined
}

async function resultOf(page: Page, form: Form, way: Way, target: Target): Promise<Result> {
  const isStatic = target !== 'lazy'
  try {
    if (way === 'endless' && isStatic) await briefly(visit(page, form))
    else await visit(page, form)
  } catch {
    return 'hangs'
  }
  const { alert, ran } = await glance(page)
  if (isStatic && alert) assert.not.ok(ran.includes('main'))
  const said = isStatic ? alert : await openLazy(page, way)
  if (said === 'hangs') return said
  const [, code, path] = /^ERR_SIGNEDIMP_(\w+) (\S+?):/.exec(said) ?? []
  if (code) assert.ok([targets[target], 'mai_.js'].includes(path!), said)
  return (code as Result | undefined) ?? 'runs'
}

const briefly = (work: Promise<void>) =>
  Promise.race([
    work,
    new Promise((_, reject) => setTimeout(() => reject(new Error('still waiting')), 1500)),
  ])

function openLazy(page: Page, way: Way): Promise<string> {
  return page.evaluate(
    (patience) =>
      Promise.race([
        (globalThis as unknown as { app: { lazy(): Promise<unknown> } }).app.lazy().then(
          () => '',
          ({ message }: Error) => message,
        ),
        new Promise<string>((settle) => setTimeout(() => settle('hangs'), patience)),
      ]),
    way === 'endless' ? 1000 : 20_000,
  )
}

function outcomeOf(result: Result): string {
  if (result === 'runs') return 'ok only the signed bytes ran'
  if (result === 'hangs') return 'documented limit: nothing runs until an answer ends'
  return `refused ERR_SIGNEDIMP_${result}`
}

// Its manifest, and our own files.

const named = (pattern: RegExp) => readdirSync(folder).find((name) => pattern.test(name))!
const manifestOf = (entry: string, where = folder) =>
  /signedimp-manifest\.[0-9a-f]{16}\.txt/.exec(readFileSync(join(where, entry), 'utf8'))![0]

/** Visits a page whose entry must be refused with a code, before anything of the app has run. */
async function refuses(page: Page, form: Form, code: string, scripts?: string): Promise<string> {
  await visit(page, form, scripts)
  const { alert, evil, ran } = await glance(page)
  assert.is(alert.split(' ')[0], `ERR_SIGNEDIMP_${code}`, alert)
  assert.equal([evil, ran], [0, []])
  return `refused ERR_SIGNEDIMP_${code}`
}

const manifestWays: [number, Way, string][] = [
  [1, 'missing', 'MISSING'],
  [1, 'dropped', 'NETWORK'],
  [2, 'emptied', 'MANIFEST_INVALID'],
  [2, 'html', 'MANIFEST_INVALID'],
  [3, 'truncated', 'SIGNATURE'],
  [12, 'flipped', 'SIGNATURE'],
  [35, 'changed-first', 'MANIFEST_INVALID'],
]

for (const [number, way, code] of manifestWays)
  attack(number, `the manifest of an entry, ${way}`, all, (page) => {
    site.reset()
    site.tamper(manifestOf('main.js'), way)
    return refuses(page, 'late', code)
  })

attack(31, "another entry's manifest in place of an entry's own", all, (page) => {
  site.reset()
  site.tamper(manifestOf('main.js'), 'swapped', manifestOf('other.js'))
  return refuses(page, 'late', 'MANIFEST_INVALID')
})

attack(32, "another app's manifest in place of an entry's own", all, (page) => {
  site.reset()
  const other = manifestOf('main.js', secondFolder)
  site.reply(manifestOf('main.js'), { body: readFileSync(join(secondFolder, other)) })
  return refuses(page, 'late', 'NAME')
})

const runtimeWays = {
  changed: 'REFUSED',
  swapped: 'REFUSED',
  redirected: 'NETWORK',
  emptied: 'REFUSED',
  missing: 'MISSING',
} as const

for (const [way, code] of Object.entries(runtimeWays) as [Way, string][])
  attack(
    44,
    `the runtime of an entry, ${way}`,
    { ...all, variants: eachForm },
    (page, engine, form) => {
      site.reset()
      for (const own of [named(/^signedimp-late/), named(/^signedimp-blob/)])
        site.tamper(own, way, way === 'swapped' ? 'left.js' : undefined)
      // Under a map the browser fetches it, and does not tell.
      return refuses(
        page,
        form as Form,
        form === 'late' && engine.name !== 'firefox' ? 'REFUSED' : code,
      )
    },
  )

attack(44, 'what stands in for a module in a circle', all, (page) => {
  site.reset()
  site.tamper('left.circular.js', 'changed')
  return refuses(page, 'blob', 'CHANGED')
})

// What the page does before, beside and after.

attack(115, 'entry swapped by a redirect, without integrity', all, async (page) => {
  site.reset()
  site.reply('main.js', { status: 302, headers: { location: '/other.js' }, body: '' })
  site.reply('hand.html', handWritten(tagOf('main.js')))
  await page.goto(`${site.url}hand.html`)
  await page.waitFor('globalThis.other')
  return 'documented limit: an entry is its own trust root; pin it with integrity'
})

attack(115, 'entry swapped by a redirect, with integrity', all, async (page) => {
  site.reset()
  site.reply('main.js', { status: 302, headers: { location: '/other.js' }, body: '' })
  const hash = createHash('sha256')
    .update(readFileSync(join(folder, 'main.js')))
    .digest('base64')
  const tag = `<script type="module" src="/main.js" integrity="sha256-${hash}" onerror="failure=1"></script>`
  await visit(page, 'late', tag)
  assert.is(await page.evaluate('globalThis.other'), undefined)
  return 'refused by the browser, by its integrity'
})

const before: Record<string, [attack: number, head: string]> = {
  'modulepreload of a chunk': [97, '<link rel="modulepreload" href="/left.js">'],
  'a module tag of a chunk': [97, '<script type="module" src="/early.js"></script>'],
  'an import of another module': [113, '<script type="module">import("/free.js")</script>'],
  'a preload of a chunk': [58, '<link rel="preload" as="script" href="/left.js">'],
}

for (const [what, [number, head]] of Object.entries(before))
  attack(number, `entry of its own, after ${what}`, all, async (page) => {
    site.reset()
    site.reply('free.js', { body: '1' })
    for (const path of ['left.js', 'early.js'])
      site.reply(path, (request) =>
        request === 0 ? { body: `globalThis.primed = 1\n` } : undefined,
      )
    await visitEntry(page, site, tagOf('main.js'), { head })
    const { alert, refusals } = await glance(page)
    if (alert === '') return 'ok only the signed bytes ran'
    assert.equal(refusals.length, 1)
    return `refused ${alert.split(' ')[0]}`
  })

const maps: Record<string, object> = {
  'names of ours': { imports: { 's:left.js': '/evil.js' } },
  'chunks of ours': { imports: { '/left.js': '/evil.js', '/mai_.js': '/evil.js' } },
  'a scope of ours': { scopes: { '/': { 's:left.js': '/evil.js', '/deep/lazy.js': '/evil.js' } } },
}

const remove = `<script>document.querySelector('[type=importmap]').remove()</script>`
const mapVariants = Object.keys(maps).flatMap((name) => [name, `${name}, whose element is gone`])

attack(
  56,
  'entry of its own, beside an import map that leads elsewhere',
  { ...all, variants: mapVariants },
  async (page, _, variant) => {
    site.reset()
    site.reply('evil.js', { body: evilStatement })
    const [name, gone] = variant.split(', ') as [string, string?]
    const map = `<script type="importmap">${JSON.stringify(maps[name])}</script>`
    const head = gone ? map + remove : map
    await visitEntry(page, site, tagOf('main.js'), { head })
    const { alert, evil } = await glance(page)
    assert.equal([alert, evil], ['', 0])
    assert.is(await openLazy(page, 'changed'), '')
    assert.is((await glance(page)).evil, 0)
    return 'ok only the signed bytes ran'
  },
)

const strange = [
  '/unlisted.js',
  './left.js?x',
  'data:text/javascript,1',
  'left',
  'https://x.invalid/',
]

for (const form of eachForm)
  attack(
    59,
    `entry of its own, ${form}: what is not listed`,
    { engines: forms[form][1], variants: strange },
    async (page, _, specifier) => {
      site.reset()
      site.reply('unlisted.js', { body: evilStatement })
      await visit(page, form)
      const said = await page.evaluate(
        (name) =>
          (globalThis as unknown as { app: { open(name: string): Promise<unknown> } }).app
            .open(name)
            .then(
              () => 'runs',
              ({ code }) => code,
            ),
        specifier,
      )
      assert.is(said, 'ERR_SIGNEDIMP_UNLISTED')
      assert.is((await glance(page)).evil, 0)
      return `refused ${said}`
    },
  )

const attributes = { 'data.json': 'json', 'look.css': 'css' }

for (const form of eachForm)
  attack(
    67,
    `entry of its own, ${form}: what is no script`,
    { engines: ['chromium'], variants: Object.keys(attributes) },
    async (page, _, path) => {
      site.reset()
      await visit(page, form)
      const open = (query: string) =>
        page.evaluate(
          ([name, type]) =>
            (
              globalThis as unknown as { app: { open(name: string, o: object): Promise<unknown> } }
            ).app
              .open(`./${name}`, { with: { type } })
              .then(
                () => 'runs',
                ({ code }) => code,
              ),
          [path, query] as const,
        )
      site.tamper(path, 'changed')
      assert.is(await open(attributes[path as keyof typeof attributes]), 'ERR_SIGNEDIMP_CHANGED')
      return 'refused ERR_SIGNEDIMP_CHANGED'
    },
  )

attack(51, 'entry of its own, blob: a retry after the host is honest again', all, async (page) => {
  site.reset()
  site.tamper('deep/lazy.js', 'changed')
  await visit(page, 'blob')
  assert.match(await openLazy(page, 'changed'), /^ERR_SIGNEDIMP_CHANGED deep\/lazy\.js/)
  site.reset()
  assert.is(await openLazy(page, 'changed'), '')
  assert.is((await glance(page)).evil, 0)
  return 'ok only the signed bytes ran'
})

attack(52, 'entry of its own, after somebody took the name of the registry', all, (page) => {
  site.reset()
  const planted = `<script>globalThis.__signedimp = { id: 1, ready: Promise.resolve({}) }</script>`
  return refuses(page, 'late', 'NOT_ENFORCEABLE', planted + tagOf('main.js'))
})

attack(64, 'an entry in a worker', all, async (page) => {
  site.reset()
  await visit(page, 'late')
  site.requests.length = 0
  const said = await page.evaluate(
    () =>
      new Promise<string>((settle) => {
        const worker = new Worker('/main.js', { type: 'module' })
        worker.onerror = () => settle('refused')
        worker.onmessage = () => settle('ran')
        // WebKit does not tell of modules that fail while they await.
        setTimeout(() => settle('silent'), 1500)
      }),
  )
  assert.ok(said !== 'ran', said)
  assert.equal(
    site.requests.map(({ path }) => path),
    ['main.js'],
  )
  return 'refused ERR_SIGNEDIMP_NOT_ENFORCEABLE'
})

attack(125, 'a second signed app beside an entry', all, async (page) => {
  site.reset()
  await visit(page, 'late')
  const said = await page.evaluate(
    (url) =>
      import(url).then(
        () => 'runs',
        ({ code }) => code,
      ),
    `${second.url}main.js`,
  )
  assert.is(said, 'ERR_SIGNEDIMP_NOT_ENFORCEABLE')
  assert.is(await openLazy(page, 'changed'), '')
  return `refused ${said}`
})

attack(70, 'an entry in a page with another base', all, async (page) => {
  site.reset()
  const tag = `<script type="module" src="${site.url}main.js"></script>`
  await visitEntry(page, site, tag, { head: '<base href="https://x.invalid/">' })
  assert.is((await glance(page)).alert, '')
  assert.is(await openLazy(page, 'changed'), '')
  return 'ok only the signed bytes ran'
})

attack(70, 'an entry under another name', all, (page) => {
  site.reset()
  site.reply('copy/main.js', { body: readFileSync(join(folder, 'main.js')) })
  site.reply('renamed.js', { body: readFileSync(join(folder, 'main.js')) })
  return refuses(page, 'late', 'NOT_ENFORCEABLE', tagOf('renamed.js'))
})

if (outside !== undefined)
  attack(49, 'an entry in an insecure context', all, async (page) => {
    site.reset()
    site.reply('hand.html', handWritten(tagOf('main.js')))
    let said = ''
    await atOutside(site.url, async (url) => {
      await page.goto(`${url}hand.html`)
      await page.waitFor(`document.querySelector('[role=alert]')`)
      const { alert, ran } = await glance(page)
      assert.equal(ran, [])
      said = alert
    })
    assert.is(said, 'ERR_SIGNEDIMP_NOT_ENFORCEABLE no https (pure: false)')
    return 'refused ERR_SIGNEDIMP_NOT_ENFORCEABLE'
  })

attacks.run()
