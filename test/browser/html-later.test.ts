import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { saveKey } from '../../src/keys/save.ts'
import { signedimp } from '../cli/run.ts'
import { appFiles, loadPlugin, serveApp, type TestSite } from '../support/app.ts'
import { inEngines } from '../support/browsers.ts'
import { writeFiles } from '../support/fixture.ts'
import { integrityOf } from '../support/map-app.ts'
import { scratchFolder } from '../support/processes.ts'
import { glance, look, openAny, refusesChunk, starts } from '../support/visit.ts'

// Pages that are written beside a finished build, and made by the command line: they run, and are checked, like pages of
// the build itself.

/** Beside the app's own modules, two that import one another and use a hoisted function early. */
const files = {
  ...appFiles,
  'package.json': '{"name":"app","type":"module"}',
  'src/main.js': `import './left.js'\n${appFiles['src/main.js']}`,
  'src/left.js': `import './right.js'\nexport function hoisted() { return String(new Date(0).getTime()) }\n`,
  'src/right.js': `import { hoisted } from './left.js'\nglobalThis.early = hoisted()\n`,
}

const named = `ran.push('named')\nexport const text = 'named'`

type Build = (root: string, dir: string, plugin: never) => Promise<unknown>

const esbuild: Build = async (root, outdir, plugin) => {
  const { build } = await import('esbuild')
  const names = 'assets/[name]'
  await build({
    absWorkingDir: root,
    entryPoints: ['src/main.js'],
    bundle: true,
    splitting: true,
    format: 'esm',
    outdir,
    entryNames: names,
    chunkNames: names,
    logLevel: 'silent',
    plugins: [plugin],
  })
}

const rollup: Build = async (root, dir, plugin) => {
  const { rollup } = await import('rollup')
  const input = join(root, 'src/main.js')
  const bundle = await rollup({ input, plugins: [plugin], onLog() {} })
  const preserveModulesRoot = join(root, 'src')
  const entryFileNames = 'assets/[name].js'
  await bundle.write({ dir, preserveModules: true, preserveModulesRoot, entryFileNames })
  await bundle.close()
}

const loadEsbuildPlugin: typeof loadPlugin = async () =>
  (await import('../../dist/esbuild.js' as string)).signedImp

interface Way {
  build: Build
  load: typeof loadPlugin
  dir: string
  src: string
  /** Of `signedimp html`. */
  args?: string[]
}

/** How each is built, the folder of the build in the site, and how the page names its entry. */
const ways = {
  esbuild: { build: esbuild, load: loadEsbuildPlugin, dir: 'js/', src: 'js/assets/main.js' },
  rollup: { build: rollup, load: loadPlugin, dir: '', src: '/assets/main.js' },
  'esbuild, by hosts and hashes': {
    build: esbuild,
    load: loadEsbuildPlugin,
    dir: 'js/',
    src: 'js/assets/main.js',
    args: ['--policy', 'self'],
  },
}
const names = ['esbuild', 'rollup', 'esbuild, by hosts and hashes'] as const
const sites: Partial<Record<(typeof names)[number], TestSite>> = {}

test.before(async () => {
  for (const name of names) sites[name] = await createSite(name)
})

test.after(async () => {
  for (const site of Object.values(sites)) await site.close()
})

async function createSite(name: (typeof names)[number]): Promise<TestSite> {
  const { build, load, dir, src, args = [] }: Way = ways[name]
  const cwd = scratchFolder()
  await writeFiles(cwd, files)
  const key = await generateKey('ed25519')
  await saveKey(key, join(cwd, 'app.key'), { password: null } as never)
  const signedImp = await load()
  await build(cwd, join(cwd, 'site', dir), signedImp(key, { html: 'later' }) as never)
  const map = {
    imports: { extra: `./${dir}extra.js`, 'more/': `./${dir}more/` },
    integrity: { [`./${dir}named.js`]: integrityOf(named, 'sha256') },
  }
  const tag = `<script type="importmap">${JSON.stringify(map)}</script>`
  const html = appFiles['index.html']!.replace('/src/main.js', src)
  await writeFiles(cwd, {
    'site/index.html': html.replace('<title>', `${tag}<title>`),
    [`site/${dir}extra.js`]: `export { text } from 'more/one.js'`,
    [`site/${dir}more/one.js`]: `ran.push('one')\nexport const text = 'one'`,
    [`site/${dir}named.js`]: named,
    [`site/${dir}unnamed.js`]: `ran.push('unnamed')`,
  })
  const folder = `site/${dir}`
  run(cwd, 'sign', folder, '--key', 'app.key')
  const json = ['--key', 'app.key', '--json', ...args]
  const made = run(cwd, 'html', 'site/index.html', '--dir', folder, ...json)
  return serveApp(join(cwd, 'site'), { headers: policyOf(JSON.parse(made) as Made) })
}

/** What the command says of the page. */
interface Made {
  bootstrap: string
  pages: [{ importMap?: string[] }]
}

/** A policy of what the command says, and of the page's own script. */
function policyOf({ bootstrap, pages: [{ importMap }] }: Made): Record<string, string> {
  if (!importMap) return {}
  const [, script] = /<script>([^]*?)<\/script>/.exec(appFiles['index.html']!)!
  const hashes = [`'${bootstrap}'`, `'${integrityOf(script!, 'sha256')}'`, ...importMap]
  return { 'content-security-policy': `script-src 'self' ${hashes.join(' ')}` }
}

function run(cwd: string, ...args: string[]): string {
  const { status, stdout, stderr } = signedimp(args, { cwd })
  if (status !== 0) throw new Error(stderr)
  return stdout
}

for (const name of names)
  inEngines(test, `${name}: the app runs, and refuses a chunk that was changed`, async (page) => {
    const site = sites[name]!
    site.reset()
    site.tamper(`${ways[name].dir}assets/a.js`, 'changed')
    await starts(page, site)
    assert.is(await page.evaluate('__signedimp.enforcement'), 'map')
    // Of modules that are linked in memory, as the entry's own file does in Firefox, this would be undefined.
    assert.is(await page.evaluate('early'), '0')
    await refusesChunk(page, 'a', 'ERR_SIGNEDIMP_CHANGED')
  })

for (const name of names)
  inEngines(test, `${name}: names mean what the page's own import map says`, async (page) => {
    const site = sites[name]!
    const [{ dir }, unnamed] = [ways[name], `/${ways[name].dir}unnamed.js`]
    site.reset()
    site.tamper(`${dir}more/one.js`, 'changed')
    await starts(page, site)
    assert.is(await openAny(page, 'more/one.js'), 'ERR_SIGNEDIMP_CHANGED more/one.js')
    assert.is(await openAny(page, unnamed), `ERR_SIGNEDIMP_UNLISTED ${unnamed}`)
    assert.is((await glance(page)).evil, 0)
    site.reset()
    await starts(page, site)
    assert.is(await openAny(page, 'extra'), 'one')
    assert.is(await openAny(page, `/${dir}named.js`), 'named')
  })

inEngines(test, 'the app does not start when its main chunk was changed', async (page) => {
  const site = sites.esbuild!
  site.reset()
  site.tamper('js/assets/mai_.js', 'changed')
  await page.goto(site.url)
  const { alert, evil, ran } = await look(page)
  assert.match(alert, /^ERR_SIGNEDIMP_CHANGED assets\/mai_\.js: /)
  assert.equal([evil, ran], [0, []])
})

test.run()
