import type { KeyObject } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import * as assert from 'uvu/assert'
import { appFolders, buildApp } from '../../playground/build.ts'
import { serve, type Site } from '../../playground/server.ts'
import { needsOther, ways, type Way } from '../../playground/tamper.ts'
import { generateKey } from '../../src/keys/generate.ts'
import { loadPlugin, type AppBundler } from '../support/app.ts'
import { attack, attacks } from '../support/attack.ts'
import type { Page } from '../support/browsers.ts'
import { atEnd, loadEsbuildPlugin } from '../support/esbuild.ts'
import { scratchFolder } from '../support/processes.ts'

// Every way of tampering with every kind of chunk of a real app, under the attack that it is an example of.

type Result = 'runs' | 'hangs' | 'CHANGED' | 'MISSING' | 'NETWORK' | 'REFUSED'

/** What may become of a chunk that is tampered with; what is refused for good, and found out, has one code. */
const expected: Record<Way, [attack: number, ...Result[]]> = {
  swapped: [33, 'CHANGED'],
  // Whether an engine asks twice differs; the signed bytes run or nothing does.
  'changed-later': [37, 'runs', 'CHANGED'],
  'changed-first': [37, 'runs', 'REFUSED'],
  emptied: [41, 'CHANGED'],
  redirected: [42, 'CHANGED'],
  'redirected-elsewhere': [42, 'CHANGED'],
  truncated: [43, 'CHANGED'],
  error: [43, 'NETWORK'],
  dropped: [43, 'NETWORK'],
  aborted: [43, 'NETWORK'],
  // Browsers take a partial answer for the whole, which it is, or the hash would not match.
  partial: [43, 'runs'],
  changed: [44, 'CHANGED'],
  flipped: [44, 'CHANGED'],
  utf16: [46, 'runs'],
  mime: [47, 'REFUSED'],
  slow: [51, 'runs'],
  charset: [102, 'runs'],
  'redirected-same': [114, 'runs', 'CHANGED'],
  html: [120, 'MISSING'],
  missing: [120, 'MISSING'],
  endless: [121, 'hangs'],
}

/** Which chunk, and the routes that need it. */
const targets = {
  main: ['index', []],
  static: ['vendor', []],
  lazy: ['Visit', ['visit']],
  shared: ['catalog', ['shop', 'cart']],
} as const
type Target = keyof typeof targets

let site: Site
let pathOf: (chunk: string) => string

const apps = {} as Record<AppBundler, [site: Site, pathOf: (chunk: string) => string]>

attacks.before(async () => {
  const key = await generateKey()
  apps.vite = await byVite(key)
  apps.esbuild = await byEsbuild(key)
})

attacks.after(async () => {
  for (const [each] of Object.values(apps)) await each.close()
})

const turnTo = (bundler: AppBundler) => void ([site, pathOf] = apps[bundler])

async function byVite(key: KeyObject): Promise<(typeof apps)['vite']> {
  const folder = scratchFolder()
  const signedImp = await loadPlugin()
  await buildApp(folder, { plugins: [signedImp(key)] })
  const paths = readdirSync(join(folder, 'assets')).map((name) => `assets/${name}`)
  const find = (chunk: string) =>
    paths.find((path) => path.startsWith(`assets/${chunk}-`) && path.endsWith('.js'))!
  return [await serve(folder), find]
}

/** What stands in the chunks that Vite names otherwise; esbuild gives what is shared no names at all. */
const sources: Record<string, string> = {
  index: 'main',
  vendor: 'react.production',
  about: 'about',
}

async function byEsbuild(key: KeyObject): Promise<(typeof apps)['esbuild']> {
  const folder = scratchFolder()
  const signedImp = await loadEsbuildPlugin()
  const { build } = await import('esbuild')
  const { metafile } = await build({
    absWorkingDir: appFolders.react,
    entryPoints: ['src/main.tsx', 'src/about.ts'],
    bundle: true,
    format: 'esm',
    splitting: true,
    minify: true,
    metafile: true,
    jsx: 'automatic',
    loader: { '.svg': 'file' },
    define: { 'import.meta.env.BASE_URL': '"/"' },
    outdir: folder,
    entryNames: 'assets/[name]-[hash]',
    chunkNames: 'assets/[name]-[hash]',
    assetNames: 'assets/[name]-[hash]',
    publicPath: '/',
    logLevel: 'silent',
    plugins: [
      atEnd(() => cp(join(appFolders.react, 'public'), folder, { recursive: true })),
      signedImp(key, { html: ['index.html', 'about.html'] }),
    ],
  })
  const outputs = Object.entries(metafile!.outputs).filter(([, { inputs }]) => inputs)
  const find = (chunk: string) => {
    const source = new RegExp(`/${sources[chunk] ?? chunk}\\.\\w+$`)
    const [path] = outputs.find(
      ([name, { inputs }]) =>
        name.endsWith('.js') && Object.keys(inputs).some((file) => source.test(file)),
    )!
    return relative(folder, resolve(appFolders.react, path))
  }
  return [await serve(folder), find]
}

const numbers = [...new Set(Object.values(expected).map(([number]) => number))]

for (const number of numbers) {
  const own = (Object.keys(ways) as Way[]).filter((way) => expected[way][0] === number)
  const variants = own.flatMap((way) => Object.keys(targets).map((target) => `${way} ${target}`))
  attack(
    number,
    'chunk of a real app',
    { engines: 'all', variants, turnTo },
    async (page, _, variant) => {
      const [way, target] = variant.split(' ') as [Way, Target]
      site.reset()
      site.tamper(pathOf(targets[target][0]), way, detailOf(way))
      await page.goto(site.url, way === 'endless' ? 1000 : 10_000)
      const result = await (targets[target][1].length > 0 ? visit : start)(page, target, way)
      assert.is(await page.evaluate('globalThis.__evil ?? 0'), 0, 'code of the attacker ran')
      const [, ...allowed] = expected[way]
      assert.ok(allowed.includes(result), `${result}, not ${allowed.join(' or ')}`)
      return outcomeOf(result)
    },
  )
}

/** Another signed file, or milliseconds. */
function detailOf(way: Way): string | undefined {
  if (way === 'slow') return '500'
  return needsOther.includes(way) ? pathOf('about') : undefined
}

function outcomeOf(result: Result): string {
  if (result === 'runs') return 'ok only the signed bytes ran'
  if (result === 'hangs') return 'documented limit: a browser waits for an answer that never ends'
  return `refused ERR_SIGNEDIMP_${result}`
}

/** What became of a page whose main chunk, or a static import of it, is tampered with. */
async function start(page: Page, target: Target, way: Way): Promise<Result> {
  const alert = `document.querySelector('[role=alert]')?.textContent`
  const shown = `document.getElementById('home') && 'shown'`
  const said = await settle(page, `${alert} ?? (${shown})`, way)
  if (said !== 'shown') assert.is(await page.evaluate('globalThis.__log?.join()'), undefined)
  return resultOf(said, pathOf(targets[target][0]), pathOf('index'))
}

/** What became of the routes that need the tampered chunk; another one must work. */
async function visit(page: Page, target: Target, way: Way): Promise<Result> {
  const [chunk, affected] = targets[target]
  const results: Result[] = []
  for (const route of [...affected, affected[0] === 'visit' ? 'shop' : 'visit']) {
    const said = await show(page, route, way)
    const concerned = (affected as readonly string[]).includes(route)
    if (concerned) results.push(resultOf(said, pathOf(chunk), pathOf(labelOf(route))))
    else assert.is(said, 'shown', `${route} does not need what was changed`)
  }
  return results.find((result) => result !== 'runs') ?? 'runs'
}

const labelOf = (route: string) => route[0]!.toUpperCase() + route.slice(1)

/** Opens a route: `shown`, or the message that stands in its place, or nothing. */
async function show(page: Page, route: string, way: Way): Promise<string> {
  await page.waitFor(`document.getElementById('open-${route}') !== null`)
  const before = await page.evaluate((id) => {
    document.getElementById(id)!.click()
    return (globalThis as unknown as { __log: string[] }).__log.length
  }, `open-${route}`)
  const line = await settle(
    page,
    `__log.slice(${before}).find((line) => /^(shown ${route}|refused) /.test(line))`,
    way,
  )
  return line.startsWith('shown') ? 'shown' : line.replace(/^refused \S+ /, '')
}

/** What an expression says, or nothing when it does not in time. */
async function settle(page: Page, expression: string, way: Way): Promise<string> {
  if (way !== 'endless') return page.waitFor<string>(expression)
  return page.waitFor<string>(expression, 1000).catch(() => '')
}

/** The code of a message, which must name the file; one that nobody can explain may name what imports it. */
function resultOf(said: string, path: string, importer = path): Result {
  if (said === '') return 'hangs'
  if (said === 'shown') return 'runs'
  const [, code, named] = /^ERR_SIGNEDIMP_(\w+) (\S+):/.exec(said) ?? []
  const names = code === 'REFUSED' ? [path, importer] : [path]
  assert.ok(names.includes(named!), `names ${named}, not ${path}: ${said}`)
  return code as Result
}

attacks.run()
