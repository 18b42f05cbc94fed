import { cpSync, readFileSync } from 'node:fs'
import type { KeyObject } from 'node:crypto'
import { join } from 'node:path'
import type { Plugin } from 'esbuild'
import * as assert from 'uvu/assert'
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
import { buildByEsbuild } from '../support/esbuild.ts'
import { atOutside, outside } from '../support/outside.ts'
import { scratchFolder } from '../support/processes.ts'
import { glance, look, open, refuses, refusesChunk, starts } from '../support/visit.ts'

// Where a page is, what it is called, what stands in it: 48, 49, 70, 74, 78, 131, 135.

const kinds = { inline: true, linked: false, all: 'all' } as const
type Kind = keyof typeof kinds

/** The sites of an app, and the folders that some of them serve. */
interface App {
  folders: Record<Kind | 'relative' | 'cdn', string>
  site: TestSite
  linked: TestSite
  all: TestSite
  other: TestSite
  relative: TestSite
  cdn: TestSite
  page: TestSite
}

const apps = {} as Record<AppBundler, App>
let { folders, site, linked, all, other, relative, cdn, page } = {} as App

const milestones = `globalThis.heard = ['evaluated ' + document.readyState]
const hear = (target, type) => target.addEventListener(type, () => heard.push(type + ' ' + document.readyState))
hear(document, 'readystatechange')
hear(document, 'DOMContentLoaded')
hear(globalThis, 'DOMContentLoaded')
hear(globalThis, 'load')
hear(globalThis, 'pageshow')
globalThis.onload = () => heard.push('onload')
`

/** What a module tag of the HTML would have heard, and when. */
const heard = [
  'DOMContentLoaded interactive',
  'DOMContentLoaded interactive',
  'readystatechange complete',
  'load complete',
  'onload',
  'pageshow complete',
]

attacks.before(async () => {
  const key = await generateKey('ed25519')
  for (const bundler of appBundlers) apps[bundler] = await startApp(key, bundler)
})

async function startApp(key: KeyObject, bundler: AppBundler): Promise<App> {
  const files = { 'src/main.js': appFiles['src/main.js'] + milestones }
  const own = {} as App['folders']
  for (const kind of Object.keys(kinds) as Kind[])
    own[kind] = await buildSigned(key, {
      bundler,
      files,
      signed: { inline: kinds[kind], name: 'café ☕' },
    })
  own.relative = await buildSigned(key, { bundler, base: './' })
  own.cdn = scratchFolder()
  const shared = await serveApp(own.cdn, { cors: true })
  const built = await buildSigned(key, { bundler, base: shared.url })
  cpSync(built, own.cdn, { recursive: true })
  const pages = scratchFolder()
  cpSync(join(built, 'index.html'), join(pages, 'index.html'))
  return {
    folders: own,
    page: await serveApp(pages),
    site: await serveApp(own.inline),
    linked: await serveApp(own.linked),
    all: await serveApp(own.all),
    other: await serveApp(own.inline, { cors: true }),
    relative: await serveApp(own.relative, { base: '/deep/er/' }),
    cdn: shared,
  }
}

attacks.after(async () => {
  for (const { folders: _, ...sites } of Object.values(apps))
    for (const each of Object.values(sites)) await each.close()
})

const turnTo = (bundler: AppBundler) =>
  void ({ folders, site, linked, all, other, relative, cdn, page } = apps[bundler])
const everywhere = { engines: 'all', turnTo } as const

/** Serves a page with something more in it. */
function replyWith(where: TestSite, folder: string, change: (html: string) => string) {
  const html = readFileSync(join(folder, 'index.html'), 'utf8')
  const body = change(html)
  assert.is.not(body, html)
  where.reply('index.html', { type: 'text/html; charset=utf-8', body })
}

attack(
  70,
  'base element that names another origin',
  { ...everywhere, variants: ['that shares', 'that does not'] },
  async (tab, _, variant) => {
    site.reset()
    other.reset()
    other.tamper('assets/a.js', 'changed')
    const target = variant === 'that shares' ? other.url : linked.url
    replyWith(site, folders.inline, (html) =>
      html.replace('<head>', `<head><base href="${target}">`),
    )
    if (variant === 'that does not') return refuses(tab, site, 'ERR_SIGNEDIMP_NETWORK')
    await starts(tab, site)
    assert.is(await tab.evaluate('app.url'), `${other.url}assets/index.js`)
    return refusesChunk(tab, 'a', 'ERR_SIGNEDIMP_CHANGED')
  },
)

attack(
  70,
  'relative base',
  { ...everywhere, variants: ['', 'index.html', '?a=b', 'index.html#c'] },
  async (tab, _, variant) => {
    relative.reset()
    relative.tamper('assets/a.js', 'changed')
    await tab.goto(relative.url + variant)
    assert.is((await look(tab)).alert, '')
    return refusesChunk(tab, 'a', 'ERR_SIGNEDIMP_CHANGED')
  },
)

attack(70, 'relative base, page without its slash', everywhere, async (tab) => {
  // A server that shows the page at another depth, so that its files are looked for in another folder.
  const body = readFileSync(join(folders.relative, 'index.html'))
  const moved = await serveApp(folders.relative, { base: '/deep/er/' })
  moved.reply('/deep/er', { type: 'text/html; charset=utf-8', body })
  try {
    await tab.goto(moved.url.replace(/\/$/, ''))
    const { alert, ran } = await look(tab)
    assert.match(alert, /^ERR_SIGNEDIMP_MISSING /)
    assert.equal(ran, [])
    return 'refused ERR_SIGNEDIMP_MISSING'
  } finally {
    await moved.close()
  }
})

attack(
  70,
  'base on another origin',
  { ...everywhere, variants: ['changed', 'redirected', 'missing'] },
  async (tab, _, variant) => {
    cdn.reset()
    cdn.tamper('assets/a.js', variant as 'changed')
    await starts(tab, page)
    assert.is(await tab.evaluate('app.url'), `${cdn.url}assets/index.js`)
    assert.is(await open(tab, 'b'), 'b café')
    return refusesChunk(
      tab,
      'a',
      variant === 'missing' ? 'ERR_SIGNEDIMP_MISSING' : 'ERR_SIGNEDIMP_CHANGED',
    )
  },
)

// The twin with the wrong hash fails here too, but by the policy: only its control, which must load, tells.
attack(99, 'a policy that blocks the probe', everywhere, (tab) => {
  site.reset()
  const headers = { 'content-security-policy': "script-src 'self' 'unsafe-inline'" }
  site.reply('index.html', { type: 'text/html; charset=utf-8', headers })
  site.tamper('assets/a.js', 'changed')
  return refuses(tab, site, 'ERR_SIGNEDIMP_NOT_ENFORCEABLE')
})

// No crypto.subtle, no check: nothing may run. Without another address than the loopback this fails, and says why.
attack(49, 'insecure context', everywhere, async (tab) => {
  assert.ok(outside, 'this machine has no address but the loopback')
  site.reset()
  return atOutside(site.url, async (url) => {
    await tab.goto(url)
    assert.equal(await tab.evaluate('[isSecureContext, typeof crypto.subtle]'), [
      false,
      'undefined',
    ])
    const { alert, ran } = await look(tab)
    assert.match(alert, /^ERR_SIGNEDIMP_NOT_ENFORCEABLE /)
    assert.equal(ran, [])
    return 'refused ERR_SIGNEDIMP_NOT_ENFORCEABLE'
  })
})

attack(
  48,
  'other origin that does not share',
  { ...everywhere, variants: ['its manifest', 'a chunk'] },
  async (tab, _, variant) => {
    cdn.reset()
    const headers = { 'access-control-allow-origin': 'https://other.test' }
    if (variant === 'a chunk') {
      cdn.reply('assets/a.js', { headers })
      await starts(tab, page)
      return refusesChunk(tab, 'a', 'ERR_SIGNEDIMP_NETWORK')
    }
    cdn.reply(pageManifestOf(folders.cdn), { headers })
    return refuses(tab, page, 'ERR_SIGNEDIMP_NETWORK')
  },
)

const switches = [
  '?signedimp=off',
  '?mode=off',
  '#signedimp=off',
  '?inline=false&debug',
  'storage',
  'global',
]

attack(74, 'switching it off', { ...everywhere, variants: switches }, async (tab, _, variant) => {
  site.reset()
  const stored = readFileSync(join(folders.inline, pageManifestOf(folders.inline)), 'utf8')
  site.reply(pageManifestOf(folders.inline), { body: stored.slice(stored.indexOf('\n\n') + 1) })
  if (variant === 'global')
    replyWith(site, folders.inline, (html) =>
      html.replace(
        '<head>',
        `<head><script>signedimp = SIGNEDIMP = { mode: 'off' }; process = { env: { SIGNEDIMP: 'off', NODE_ENV: 'development' } }</script>`,
      ),
    )
  await tab.goto(site.url + (/^[?#]/.test(variant) ? variant : ''))
  if (variant === 'storage') {
    await tab.evaluate(() => {
      for (const key of ['signedimp', 'signedimp-mode', 'import-map-overrides'])
        localStorage.setItem(key, 'off')
      document.cookie = 'signedimp=off'
    })
    await tab.goto(site.url)
  }
  const { alert, ran } = await look(tab)
  assert.match(alert, /^ERR_SIGNEDIMP_SIGNATURE /)
  assert.equal([ran, (await glance(tab)).evil], [[], 0])
  return 'refused ERR_SIGNEDIMP_SIGNATURE'
})

const early: Record<string, string> = {
  'module of another origin': '<script type="module" src="https://cdn.test/a.js"></script>',
  'classic script of another origin': '<script src="https://cdn.test/polyfill.js"></script>',
  'modulepreload of another origin': '<link rel="modulepreload" href="https://cdn.test/a.js">',
  'import map of another origin': `<script type="importmap">{"imports":{"a":"https://cdn.test/a.js"}}</script>`,
}

attack(78, 'unchecked code in the page', { variants: Object.keys(early) }, async (variant) => {
  const html = appFiles['index.html']!.replace('<title>', `${early[variant]}<title>`)
  const build = buildSigned(await generateKey('ed25519'), { files: { 'index.html': html } })
  // Vite wraps what a plugin throws.
  const message = await build.then(
    () => 'nothing was refused',
    (error: Error) => error.message,
  )
  assert.match(message, /\bERR_SIGNEDIMP_NOT_COVERED\b/)
  return 'refused ERR_SIGNEDIMP_NOT_COVERED'
})

/** Who finds the entries of a build of esbuild: nobody, whom we ask, or another plugin, which does not ask us. */
const finders: Record<string, Plugin[]> = {
  esbuild: [],
  'another plugin': [
    {
      name: 'finder',
      setup: (build) =>
        build.onResolve({ filter: /./ }, ({ kind, path, resolveDir }) =>
          kind === 'entry-point' ? { path: join(resolveDir, path) } : undefined,
        ),
    },
  ],
}

attack(
  78,
  'entry of esbuild that is loaded later, too',
  { variants: Object.keys(finders) },
  async (variant) => {
    const { dir } = await buildByEsbuild(
      { 'src/main.js': 'import("./second.js")', 'src/second.js': 'globalThis.second = 1' },
      {
        key: await generateKey('ed25519'),
        before: finders[variant]!,
        config: { entryPoints: ['src/main.js', 'src/second.js'] },
      },
    )
    for (const name of ['main', 'second'])
      assert.match(readFileSync(join(dir, `${name}.js`), 'utf8'), 'manifest:"signedimp-manifest.')
    return 'ok it checks itself, whoever loads it'
  },
)

attack(78, 'script in front of the module tag', everywhere, async (tab) => {
  site.reset()
  await starts(tab, site)
  const first = await tab.evaluate(
    () => document.querySelector<HTMLElement>('script:not([type])')!.dataset.manifest,
  )
  assert.is(first, `/${pageManifestOf(folders.inline)}`)
  return 'ok the bootstrap stands before every script of the page'
})

/** Elements whose names hide what the document has under the same ones, and whether the app can start beside them. */
const hidden = {
  currentScript: true,
  head: true,
  body: true,
  documentElement: true,
  readyState: true,
  addEventListener: true,
  defaultView: true,
  baseURI: false,
  createElement: false,
}

attack(
  131,
  'element in the place of a property',
  { ...everywhere, variants: Object.keys(hidden) },
  async (tab, _, name) => {
    linked.reset()
    replyWith(linked, folders.linked, (html) =>
      html.replace('<body>', `<body><img name="${name}">`),
    )
    linked.tamper('assets/a.js', 'changed')
    await tab.goto(linked.url)
    if (hidden[name as keyof typeof hidden]) {
      assert.is((await look(tab)).alert, '')
      return refusesChunk(tab, 'a', 'ERR_SIGNEDIMP_CHANGED')
    }
    const { evil, ran } = await glance(tab)
    assert.equal([evil, ran], [0, []])
    return 'ok nothing starts'
  },
)

attack(
  131,
  'charset of the page',
  { ...everywhere, variants: ['iso-8859-1', 'windows-1251', 'utf-8'] },
  async (tab, _, charset) => {
    for (const kind of ['inline', 'linked'] as const) {
      const where = { inline: site, linked }[kind]
      where.reset()
      const body = readFileSync(join(folders[kind], 'index.html'))
      where.reply('index.html', { type: `text/html; charset=${charset}`, body })
      await starts(tab, where)
    }
    return 'ok names are spelled in ASCII'
  },
)

attack(
  131,
  'charset of a page that carries its manifest',
  { ...everywhere, variants: ['windows-1251', 'utf-8'] },
  async (tab, _, charset) => {
    all.reset()
    const body = readFileSync(join(folders.all, 'index.html'))
    all.reply('index.html', { type: `text/html; charset=${charset}`, body })
    if (charset !== 'utf-8') return refuses(tab, all, 'ERR_SIGNEDIMP_SIGNATURE')
    await starts(tab, all)
    return 'ok the text is the signed one'
  },
)

attack(135, 'milestones', { ...everywhere, variants: Object.keys(kinds) }, async (tab, _, kind) => {
  const where = { inline: site, linked, all }[kind as Kind]
  where.reset()
  if (kind !== 'all') where.tamper(pageManifestOf(folders[kind as Kind]), 'slow', '300')
  where.tamper('assets/index.js', 'slow', '300')
  await starts(tab, where)
  await tab.waitFor("heard.some((line) => line.startsWith('pageshow'))")
  assert.equal(await tab.evaluate('heard'), ['evaluated interactive', ...heard])
  return 'ok the main chunk hears what a module tag would'
})

attack(135, 'milestones of a page that is refused', everywhere, async (tab) => {
  site.reset()
  site.tamper('assets/index.js', 'changed')
  replyWith(site, folders.inline, (html) =>
    html.replace('</body>', `<script>${milestones}</script></body>`),
  )
  await tab.goto(site.url)
  await tab.waitFor("document.querySelector('[role=alert]') !== null")
  await tab.waitFor("heard.some((line) => line.startsWith('pageshow'))")
  assert.equal(await tab.evaluate('heard'), [
    'evaluated loading',
    'readystatechange interactive',
    ...heard,
  ])
  assert.match((await glance(tab)).alert, /^ERR_SIGNEDIMP_CHANGED /)
  return 'refused ERR_SIGNEDIMP_CHANGED'
})

attacks.run()
