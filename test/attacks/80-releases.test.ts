import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KeyObject } from 'node:crypto'
import * as assert from 'uvu/assert'
import { evil } from '../../playground/tamper.ts'
import { generateKey } from '../../src/keys/generate.ts'
import {
  appBundlers,
  appFiles,
  buildSigned,
  pageManifestOf,
  serveApp,
  type AppBundler,
  type TestSite,
} from '../support/app.ts'
import { attack, attacks } from '../support/attack.ts'
import type { Page } from '../support/browsers.ts'
import { resigned } from '../support/forge.ts'
import { glance, look, open, refuses, starts } from '../support/visit.ts'

// Several releases of one app, and what becomes of a page that is of another one than the server: 80, 117, 119, 120.

let key: KeyObject
/** Three builds under the same file names, `a` and `b` differ; the third is of another channel. */
let folders: Record<'first' | 'second' | 'staging', string>
let first: TestSite
let second: TestSite
let withoutChunk: Buffer

interface App {
  folders: typeof folders
  first: TestSite
  second: TestSite
  /** The newest manifest as if that release had no such chunk. */
  withoutChunk: Buffer
}

const apps = {} as Record<AppBundler, App>

const renewed = {
  'src/a.js': appFiles['src/a.js']!.replace("'a '", "'new a '"),
  'src/b.js': appFiles['src/b.js']!.replace("'b '", "'new b '"),
}

attacks.before(async () => {
  key = await generateKey('ed25519')
  for (const bundler of appBundlers) apps[bundler] = await startApp(bundler)
})

async function startApp(bundler: AppBundler): Promise<App> {
  const build = (number: number, name: string, files = {}) =>
    buildSigned(key, { bundler, files, signed: { build: number, name } })
  const built = {
    first: await build(1, 'shop'),
    second: await build(2, 'shop', renewed),
    staging: await build(3, 'shop-staging', renewed),
  }
  return {
    folders: built,
    first: await serveApp(built.first),
    second: await serveApp(built.second),
    withoutChunk: await resigned(readFileSync(join(built.second, newest)), key, (text) =>
      text
        .split('\n')
        .filter((line) => !/assets\/a\.js/.test(line))
        .join('\n'),
    ),
  }
}

attacks.after(async () => {
  for (const app of Object.values(apps)) {
    await app.first.close()
    await app.second.close()
  }
})

const turnTo = (bundler: AppBundler) =>
  void ({ folders, first, second, withoutChunk } = apps[bundler])
const all = { engines: 'all', turnTo } as const
const read = (release: keyof typeof folders, path: string) =>
  readFileSync(join(folders[release], path))
const manifestOf = (release: keyof typeof folders) =>
  read(release, pageManifestOf(folders[release]))
const newest = 'signedimp-manifest.txt'
const html = { type: 'text/html; charset=utf-8' }

// Of another version of ours, say: a tag that the map does not know is not checked by it.
attack(
  31,
  "a manifest of ours without the page's runtime, and evil in its place",
  all,
  async (page) => {
    const runtime = readdirSync(folders.first).find((path) =>
      path.startsWith('signedimp-runtime-'),
    )!
    const without = (text: string) =>
      text
        .split('\n')
        .filter((line) => !line.endsWith(runtime))
        .join('\n')
    const body = await resigned(manifestOf('first'), key, without)
    assert.not.match(body.toString(), runtime)
    first.reset()
    first.reply(pageManifestOf(folders.first), { body })
    first.tamper(runtime, 'changed')
    return refuses(page, first, 'ERR_SIGNEDIMP_REFUSED')
  },
)

/** What becomes of `a` in a page of the first release; `solo` must work whatever the server does to `a`. */
async function openStale(page: Page, code: string): Promise<string> {
  assert.is(await open(page, 'a'), `${code} assets/a.js`)
  assert.is(await open(page, 'solo'), 'solo')
  assert.is((await glance(page)).evil, 0)
  return `refused ${code}`
}

const deployed: Record<string, () => void> = {
  'other bytes under the name': () =>
    first.reply('assets/a.js', { body: read('second', 'assets/a.js') }),
  'the name is gone': () => {
    first.reply('assets/a.js', { ...html, status: 404, body: '<!doctype html>' })
    first.reply(newest, { body: withoutChunk })
  },
  'the name is gone, the fallback is a page': () => {
    first.reply('assets/a.js', { ...html, body: '<!doctype html>' })
    first.reply(newest, { body: withoutChunk })
  },
}

attack(
  80,
  'page of before the deploy',
  { ...all, variants: Object.keys(deployed) },
  async (page, _, variant) => {
    first.reset()
    await starts(page, first)
    assert.is(await open(page, 'b'), 'b café')
    first.reply(newest, { body: read('second', newest) })
    deployed[variant]!()
    return openStale(page, 'ERR_SIGNEDIMP_VERSION_SKEW')
  },
)

const excuses: Record<string, () => Promise<Buffer> | Buffer> = {
  'the same manifest': () => read('first', newest),
  'a newer manifest that does not list it either': () => read('second', newest),
  'an unsigned newer manifest': () =>
    Buffer.from(`\n${read('second', newest).toString().split('\n\n')[1]}`),
  'a newer manifest by a stranger': async () =>
    resigned(read('second', newest), await generateKey('ed25519')),
  'a newer manifest of another channel': () => read('staging', newest),
  'no manifest': () => Buffer.alloc(0),
}

attack(
  80,
  'tampering that claims to be a deploy',
  { ...all, variants: Object.keys(excuses) },
  async (page, _, variant) => {
    first.reset()
    const body = evil(read('first', 'assets/a.js'), 'a.js')
    await starts(page, first)
    first.reply('assets/a.js', { body })
    first.reply(newest, { body: await excuses[variant]!() })
    return openStale(page, 'ERR_SIGNEDIMP_CHANGED')
  },
)

attack(80, 'older release that claims to be a deploy', all, async (page) => {
  second.reset()
  await starts(page, second)
  second.reply('assets/a.js', { body: read('first', 'assets/a.js') })
  second.reply(newest, { body: read('first', newest) })
  return openStale(page, 'ERR_SIGNEDIMP_CHANGED')
})

const expired = (text: string) =>
  text.replace(/^# build: .*$/m, '$&\n# expires: 2020-01-01T00:00:00Z')
const old: Record<string, [() => Promise<Buffer> | Buffer, code: string]> = {
  'older build': [() => manifestOf('first'), 'ROLLBACK'],
  'no build': [
    () => resigned(manifestOf('second'), key, (text) => text.replace(/^# build: .*\n/m, '')),
    'ROLLBACK',
  ],
  'another channel': [() => manifestOf('staging'), 'NAME'],
  'no name': [
    () => resigned(manifestOf('second'), key, (text) => text.replace(/^# name: .*\n/m, '')),
    'MANIFEST_INVALID',
  ],
  expired: [() => resigned(manifestOf('second'), key, expired), 'EXPIRED'],
  'by a stranger': [
    async () => resigned(manifestOf('second'), await generateKey('ed25519')),
    'SIGNATURE',
  ],
}

attack(
  117,
  'another signed manifest',
  { ...all, variants: Object.keys(old) },
  async (page, _, variant) => {
    const [make, code] = old[variant]!
    second.reset()
    // Its chunks too, so that nothing but the manifest itself can be what is refused.
    const release =
      variant === 'older build' ? 'first' : variant === 'another channel' ? 'staging' : 'second'
    for (const file of readdirSync(join(folders[release], 'assets')))
      second.reply(`assets/${file}`, { body: read(release, `assets/${file}`) })
    second.reply(pageManifestOf(folders.second), { body: await make() })
    return refuses(page, second, `ERR_SIGNEDIMP_${code}`)
  },
)

attack(117, 'newer build under the name of the old manifest', all, async (page) => {
  first.reset()
  for (const file of readdirSync(join(folders.second, 'assets')))
    first.reply(`assets/${file}`, { body: read('second', `assets/${file}`) })
  first.reply(pageManifestOf(folders.first), { body: manifestOf('second') })
  return refuses(page, first, 'ERR_SIGNEDIMP_MANIFEST_INVALID')
})

// It is signed for this app and build, and lists what earlier builds left: a redirect could turn imports to that.
attack(117, "the folder's own manifest in place of the page's", all, async (page) => {
  first.reset()
  first.reply(pageManifestOf(folders.first), { body: read('first', newest) })
  return refuses(page, first, 'ERR_SIGNEDIMP_MANIFEST_INVALID')
})

/** Makes the server keep what the first release needs: its HTML, its page manifest and its chunks. */
function keepFirst(isKept: (file: string) => boolean = () => true) {
  second.reset()
  second.reply('index.html', { ...html, body: read('first', 'index.html') })
  second.reply(pageManifestOf(folders.first), { body: manifestOf('first') })
  for (const file of readdirSync(join(folders.first, 'assets')).filter(isKept))
    second.reply(`assets/${file}`, { body: read('first', `assets/${file}`) })
}

attack(119, 'page of before the deploy, all its files kept', all, async (page) => {
  keepFirst()
  await starts(page, second)
  assert.is(await open(page, 'a'), 'a café')
  return 'ok the page starts by the manifest of its own build'
})

attack(119, 'page of before the deploy, its manifest gone', all, (page) => {
  second.reset()
  second.reply('index.html', { ...html, body: read('first', 'index.html') })
  return refuses(page, second, 'ERR_SIGNEDIMP_MISSING')
})

attack(119, 'page of before the deploy, one of its chunks gone', all, async (page) => {
  // The new release has another one under the same name.
  keepFirst((file) => file !== 'a.js')
  await starts(page, second)
  return openStale(page, 'ERR_SIGNEDIMP_VERSION_SKEW')
})

attack(
  120,
  'fallback page',
  { ...all, variants: ['a chunk', 'the main chunk', 'the runtime'] },
  async (page, _, variant) => {
    first.reset()
    const runtime = readdirSync(folders.first).find((name) =>
      name.startsWith('signedimp-runtime-'),
    )!
    const path =
      { 'a chunk': 'assets/a.js', 'the main chunk': 'assets/index.js' }[variant] ?? runtime
    first.tamper(path, 'html')
    await page.goto(first.url)
    const { alert, ran } = await look(page)
    if (variant === 'a chunk') return openStale(page, 'ERR_SIGNEDIMP_MISSING')
    // The runtime is what would find out why; without it there is no second look.
    const code = path === runtime ? 'ERR_SIGNEDIMP_REFUSED' : 'ERR_SIGNEDIMP_MISSING'
    assert.ok(alert.startsWith(`${code} ${path}: `), alert)
    assert.equal(ran, [])
    return `refused ${code}`
  },
)

attacks.run()
