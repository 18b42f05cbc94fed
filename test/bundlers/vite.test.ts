import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { signedImp, type SignedImpOptions } from 'signedimp'
import type { InlineConfig, Rollup } from 'vite'
import { buildApp } from '../../playground/build.ts'
import { generateKey } from '../../src/keys/generate.ts'
import { rewriterVersion } from '../../src/emit/rewrite.ts'
import { carrierOf, elementsOf } from '../emit/emitted.ts'
import { root } from '../support/files.ts'
import { buildFixture } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import {
  check,
  codeOf,
  filesIn,
  findUnwrapped,
  manifestsIn,
  outcomeOf,
  textIn,
  vites,
  type ViteName,
} from './built.ts'
import { logging } from './logging.ts'

const key = await generateKey('ed25519')

const files = {
  'index.html':
    '<!doctype html>\n<html><head><meta charset="utf-8"><link rel="icon" href="/icon.svg">\n<script type="module" src="/src/main.js"></script></head><body></body></html>',
  'about.html':
    '<!doctype html>\n<html><head><script type="module" src="/src/about.js"></script></head><body></body></html>',
  'src/main.js':
    'import { shared } from "./shared.js"\nimport "./main.css"\nimport data from "./data.json"\nglobalThis.load = () => import("./lazy.js")\nconsole.log(shared, data, import.meta.url, new URL("./logo.svg", import.meta.url).href)',
  'src/about.js': 'import { shared } from "./shared.js"\nconsole.log(shared, "über")',
  'src/shared.js': 'export const shared = () => "shared"',
  'src/lazy.js': 'import "./lazy.css"\nimport { shared } from "./shared.js"\nexport default shared',
  'src/main.css': 'a{background:url(./logo.svg)}',
  'src/lazy.css': 'b{color:red}',
  'src/data.json': '{"ü":[1,2,3]}',
  'src/logo.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
  'public/icon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
}

/** Names with hashes, as Vite gives them; small, because Rolldown's comments name the folder of the build. */
const hashed: InlineConfig = {
  build: {
    minify: true,
    rollupOptions: {
      output: {
        entryFileNames: 'assets/[name]-[hash].js',
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
}

interface Options extends SignedImpOptions {
  base?: string
  config?: InlineConfig
  more?: Record<string, string>
  own?: unknown[]
}

/** Builds the fixture, signed. */
function build(vite: ViteName, { base = '/', config, more, own = [], ...options }: Options = {}) {
  const plugins = [...own, signedImp(key, options)]
  return buildFixture({ ...files, ...more }, { vite, base, plugins, ...(config && { config }) })
}

/** What is named by its content, source maps aside, is kept; and the files of another origin are for pages to read. */
function checkHeaders(dir: string, base: string) {
  const { files: told } = JSON.parse(textIn(dir, 'signedimp-headers.json')) as {
    files: Record<string, Record<string, string>>
  }
  const kept = Object.keys(told).filter((path) => told[path]!['Cache-Control'] !== 'no-cache')
  const isNamed = (path: string) =>
    /^(assets\/|signedimp-(runtime|blob)-|signedimp-manifest\.\w{16}\.)/.test(path) &&
    !path.endsWith('.map')
  assert.equal(kept.sort(), filesIn(dir).filter(isNamed))
  for (const [path, headers] of Object.entries(told)) {
    const isShared = base.startsWith('https:') && !path.endsWith('.html')
    assert.is(headers['Access-Control-Allow-Origin'], isShared ? '*' : undefined, path)
  }
  for (const path of ['index.html', 'about.html'])
    assert.match(
      told[path]!['Content-Security-Policy']!,
      /^script-src 'sha256-\S+' .*'strict-dynamic';/,
    )
}

/** The output folder's pages, each of which must start through the bootstrap and nothing else. */
function checkPages(dir: string, prefix: (path: string) => string) {
  const pages = filesIn(dir).filter((path) => path.endsWith('.html'))
  for (const path of pages) {
    const elements = elementsOf(textIn(dir, path))
    const { attributes } = carrierOf(textIn(dir, path))!
    assert.match(
      attributes['data-manifest']!,
      new RegExp(`^${prefix(path)}signedimp-manifest\\.\\w{16}\\.txt$`),
    )
    assert.equal(
      elements.filter(
        ({ attributes: { type, rel } }) => type === 'module' || rel === 'modulepreload',
      ),
      [],
    )
    for (const entry of attributes['data-entry']!.split(' '))
      assert.ok(existsSync(join(dir, decodeURIComponent(entry))), entry)
    for (const {
      attributes: { href, integrity, rel },
    } of elements) {
      if (!integrity || !href) continue
      const file = join(dir, decodeURI(href.slice(prefix(path).length)))
      const digest = createHash('sha256').update(readFileSync(file)).digest('base64')
      assert.is(integrity, `sha256-${digest}`, `${rel} ${href}`)
    }
  }
  return pages
}

for (const vite of vites) {
  test(`${vite}: a real app: both manifests hold the hashes of what is on disk`, async () => {
    const dir = scratchFolder()
    await buildApp(dir, { vite, plugins: [signedImp(key, { name: 'shop' })] })
    const { main, pages } = await check(dir, key, 'shop')
    assert.is(pages.size, 1)
    const [page] = pages.values()
    const loaded = [...main.files.keys()].filter((path) => !/\.(html|map)$/.test(path))
    assert.equal([...page!.files.keys()], loaded)
    assert.ok(page!.imports.size >= 5)
    assert.equal(await findUnwrapped(dir), [])
    assert.equal(
      checkPages(dir, () => '/'),
      ['about.html', 'index.html'],
    )
  })

  for (const [base, prefix] of [
    ['/', '/'],
    ['./', '\\./'],
    ['/app/', '/app/'],
    ['https://cdn.example/app/', 'https://cdn\\.example/app/'],
  ] as const)
    test(`${vite}: base ${base}`, async () => {
      const config = { ...hashed, html: { cspNonce: 'a nonce' } }
      const dir = await build(vite, { base, config, headers: ['nginx', 'json'] })
      await check(dir, key)
      checkHeaders(dir, base)
      assert.equal(await findUnwrapped(dir), [])
      const written = prefix.replaceAll('\\', '')
      for (const path of ['index.html', 'about.html']) {
        const { attributes } = carrierOf(textIn(dir, path))!
        assert.ok(attributes['data-manifest']!.startsWith(written))
        assert.is(attributes['nonce'], 'a nonce')
      }
      checkPages(dir, () => written)
    })

  const settings: Record<string, InlineConfig> = {
    'one stylesheet': { build: { cssCodeSplit: false } },
    'source maps': { build: { sourcemap: true } },
    'inline source maps': { build: { sourcemap: 'inline' } },
    'hidden source maps': { build: { sourcemap: 'hidden' } },
    "Vite's own manifest": { build: { manifest: true } },
    'esbuild as minifier': {
      build: { minify: 'esbuild' },
      esbuild: { keepNames: true },
    } as InlineConfig,
    'terser as minifier': { build: { minify: 'terser', target: 'es2020' } },
    'assets in the code': { build: { assetsInlineLimit: 10_000 } },
    'no module preloads': { build: { modulePreload: false } },
    'no polyfill of module preloads': { build: { modulePreload: { polyfill: false } } },
    'hashed names': hashed,
  }
  for (const [what, config] of Object.entries(settings))
    test(`${vite}: ${what}`, async () => {
      const dir = await build(vite, { config })
      const { main } = await check(dir, key)
      assert.equal(await findUnwrapped(dir), [])
      assert.equal(
        checkPages(dir, () => '/'),
        ['about.html', 'index.html'],
      )
      const paths = [...main.files.keys()]
      if (what === 'source maps') {
        assert.ok(paths.includes('assets/lazy.js.map'))
        assert.match(
          textIn(dir, 'assets/main.js'.replace('main', 'index')),
          /\n\/\/# sourceMappingURL=index\.js\.map\n?$/,
        )
      }
      // What the polyfill watches for.
      const isPolyfilled = paths.some(
        (path) => path.endsWith('.js') && textIn(dir, path).includes('MutationObserver'),
      )
      assert.is(isPolyfilled, !/module preloads/.test(what))
      if (what === "Vite's own manifest") assert.ok(paths.includes('.vite/manifest.json'))
    })

  test(`${vite}: a script is never preloaded at run time under a URL that the map does not use`, async () => {
    const dir = await build(vite)
    const deps = filesIn(dir)
      .filter((path) => path.endsWith('.js'))
      .flatMap((path) =>
        [
          ...textIn(dir, path).matchAll(
            /__vite__mapDeps\.viteFileDeps=\[([^\]]*)\]|m\.f\|\|\(m\.f=\[([^\]]*)\]\)/g,
          ),
        ].map(([, one, other]) => one ?? other!),
      )
    assert.ok(deps.length > 0, 'stylesheets of lazy chunks are still loaded by the helper')
    assert.match(deps.join(), 'lazy.css')
    if (vite !== 'vite') assert.not.match(deps.join(), /\.js"/)
  })

  test(`${vite}: file names change with the rewriter and not with the key`, async () => {
    const namesOf = async (plugins: unknown[]) =>
      filesIn(await buildFixture(files, { vite, plugins, config: hashed })).filter((path) =>
        path.startsWith('assets/'),
      )
    const scripts = (names: string[]) => names.filter((path) => path.endsWith('.js'))
    const plain = await namesOf([])
    const one = await namesOf([signedImp(key)])
    const two = await namesOf([signedImp(await generateKey('ecdsa-p256'), { inline: false })])
    assert.equal(one, two)
    assert.is(plain.length, one.length)
    assert.equal(
      scripts(one).filter((path) => plain.includes(path)),
      [],
    )
    assert.equal(
      one.filter((path) => path.endsWith('.svg')),
      plain.filter((path) => path.endsWith('.svg')),
    )
    const next = await namesOf([(await pluginWithRewriter('signedimp-rewriter-next'))(key)])
    assert.equal(
      scripts(next).filter((path) => one.includes(path) || plain.includes(path)),
      [],
    )
    assert.is(next.length, one.length)
  })

  test(`${vite}: what is not written is signed in memory, and nothing is left on disk`, async () => {
    const { build: viteBuild } = (await import(vite)) as typeof import('vite')
    const folder = dirname(await buildFixture(files, { vite }))
    const outDir = join(folder, 'other')
    const result = (await viteBuild({
      root: folder,
      configFile: false,
      logLevel: 'error',
      plugins: [signedImp(key) as never],
      build: { write: false, outDir },
    })) as Rollup.RollupOutput
    const names = result.output.map(({ fileName }) => fileName)
    assert.is(names.filter((name) => /^signedimp-manifest\.\w{16}\.txt$/.test(name)).length, 1)
    const page = result.output.find(
      ({ fileName }) => fileName === 'index.html',
    ) as Rollup.OutputAsset
    assert.match(String(page.source), 'data-manifest')
    assert.not.ok(existsSync(outDir))
  })

  test(`${vite}: two builds of the same sources say the same, byte for byte`, async () => {
    const rsa = await generateKey('rsa-pss')
    const one = await buildFixture(files, {
      vite,
      plugins: [signedImp(rsa, { build: 7 })],
      config: hashed,
    })
    const two = await buildFixture(files, {
      vite,
      plugins: [signedImp(rsa, { build: 7 })],
      config: hashed,
    })
    assert.equal(filesIn(one), filesIn(two))
    for (const path of filesIn(one)) {
      const [a, b] = [textIn(one, path), textIn(two, path)]
      if (manifestsIn(one).includes(path)) assert.is(signedTextOf(a), signedTextOf(b), path)
      else assert.is(a, b, path)
    }
  })

  test(`${vite}: public files with odd names are listed, each once`, async () => {
    const names = [
      '.well-known/x.txt',
      'a b.txt',
      'a%20b.txt',
      'a#b.txt',
      'ü/😀.txt',
      '[id].txt',
      '__proto__/constructor',
      'a+b&c.txt',
      '.htaccess',
      'UPPER.TXT',
      '%2e%2e%2f.txt',
      'a;b=c,d.txt',
      "it's (1).txt",
      'a!b@c$d.txt',
    ]
    const more = Object.fromEntries(names.map((name) => [`public/${name}`, name]))
    const { main, pages } = await check(await build(vite, { more }), key)
    for (const name of names) {
      assert.ok(main.files.has(name), name)
      // What tells a server how to serve is nothing that a page loads.
      assert.is([...pages.values()][0]!.files.has(name), name !== '.htaccess', name)
    }
  })

  test(`${vite}: refused: a link in the public folder, which a copy of the folder may follow or not`, async () => {
    const folder = dirname(await buildFixture(files, { vite }))
    writeFileSync(join(folder, 'elsewhere.txt'), 'elsewhere')
    symlinkSync(join(folder, 'elsewhere.txt'), join(folder, 'public/link.txt'))
    const error = await outcomeOf(rebuild(vite, folder, { plugins: [signedImp(key)] }))
    assert.is(codeOf(error), 'ERR_SIGNEDIMP_PATH')
    assert.match(error.message, 'link.txt: is a symbolic link')
  })

  test(`${vite}: a plugin that is listed behind us and changes chunks is seen`, async () => {
    const late = {
      name: 'late',
      enforce: 'post',
      generateBundle: {
        order: 'post',
        handler(
          _: unknown,
          bundle: Record<string, { code?: string; source?: unknown; fileName: string }>,
        ) {
          for (const file of Object.values(bundle)) {
            if (file.code !== undefined)
              file.code += '\n/* late */ import("./late.js").catch(() => import.meta)\n'
            else if (file.fileName.endsWith('.css'))
              file.source = String(file.source) + '/* late */'
          }
        },
      },
    }
    const dir = await buildFixture(files, { vite, plugins: [signedImp(key), late] })
    await check(dir, key)
    assert.equal(await findUnwrapped(dir), [])
    assert.match(textIn(dir, 'assets/lazy.js'), 'late')
    assert.match(textIn(dir, 'assets/lazy.css'), 'late')
    checkPages(dir, () => '/')
  })

  test(`${vite}: a server build is left alone, and says so`, async () => {
    const entry = { 'server.js': 'import("./src/lazy.js"); export const url = import.meta.url' }
    const config = (logger?: unknown): InlineConfig => ({
      build: { ssr: 'server.js', minify: true },
      ...(logger ? { customLogger: logger as never } : {}),
    })
    const { logger, said } = logging()
    const signed = await buildFixture(
      { ...entry, 'src/lazy.js': 'export default 1' },
      { vite, plugins: [signedImp(key)], config: config(logger) },
    )
    const plain = await buildFixture(
      { ...entry, 'src/lazy.js': 'export default 1' },
      { vite, config: config() },
    )
    assert.equal(filesIn(signed), filesIn(plain))
    for (const path of filesIn(signed)) assert.is(textIn(signed, path), textIn(plain, path))
    assert.match(said(), 'the server build is NOT signed')
  })

  test(`${vite}: mode 'off' signs nothing, changes nothing, and says so`, async () => {
    const { logger, said } = logging()
    const signed = await build(vite, {
      mode: 'off',
      config: { customLogger: logger as never, ...hashed },
    })
    const plain = await buildFixture(files, { vite, config: hashed })
    assert.equal(filesIn(signed), filesIn(plain))
    for (const path of filesIn(signed)) assert.is(textIn(signed, path), textIn(plain, path))
    assert.match(said(), /warn: .*NOT signed/)
  })

  test(`${vite}: the build tells what it signed`, async () => {
    const { logger, said } = logging()
    const config = { customLogger: logger as never }
    await build(vite, { config, build: 41, unverified: ['sw.js'], more: { 'public/sw.js': '' } })
    assert.match(
      said(),
      /info: signedimp: signed fixture build 41: 4 modules, [\d.]+ KB, 2 pages, \d+ ms/,
    )
    assert.match(said(), /key [0-9a-f]{64}\n/)
    assert.match(said(), /Content-Security-Policy: 'sha256-[\w+/]{43}='/)
    assert.match(said(), /UNVERIFIED sw\.js: /)
    assert.match(said(), 'promise: ')
  })

  // What no page would check.
  const loose: Record<string, [more: Record<string, string>, names: string[]]> = {
    'a shared worker': [
      {
        'src/main.js':
          'new SharedWorker(new URL("./worker.js", import.meta.url), { type: "module" })',
        'src/worker.js': 'onmessage = () => {}',
      },
      ['assets/worker-*.js'],
    ],
    'a script of the public folder': [{ 'public/old/a.js': 'var a' }, ['old/a.js']],
    'a page of the public folder': [
      { 'public/old.html': '<script src="/x.js"></script>' },
      ['old.html'],
    ],
    'a script of somebody else': [
      {
        'about.html': files['about.html'].replace(
          '<head>',
          '<head><script src="https://x.example/a.js"></script>',
        ),
      },
      ['https://x.example/a.js'],
    ],
  }
  for (const [what, [more, names]] of Object.entries(loose))
    test(`${vite}: refused until it is named: ${what}`, async () => {
      const error = await outcomeOf(build(vite, { more }))
      assert.is(codeOf(error), 'ERR_SIGNEDIMP_NOT_COVERED')
      for (const name of names)
        assert.match(
          error.message,
          new RegExp(`  ${name.replaceAll('*', '[\\w-]+').replaceAll('.', '\\.')}: `),
        )
      await check(await build(vite, { more, unverified: names }), key)
    })

  test(`${vite}: two outputs in one folder are signed together`, async () => {
    const outputs = ['one', 'two'].map((name) => ({
      entryFileNames: `${name}/[name].js`,
      chunkFileNames: `${name}/[name].js`,
      assetFileNames: 'assets/[name][extname]',
    }))
    const dir = await buildWithOutputs(vite, outputs)
    const { main } = await check(dir, key)
    for (const name of ['one', 'two']) assert.ok(main.files.has(`${name}/lazy.js`))
    assert.equal(await findUnwrapped(dir), [])
  })

  test(`${vite}: two outputs that put other bytes under one name are refused, or agree`, async () => {
    const outputs = ['globalThis.one=1;', 'globalThis.two=2;'].map((intro) => ({
      intro,
      entryFileNames: 'assets/[name].js',
      chunkFileNames: 'assets/[name].js',
      assetFileNames: 'assets/[name][extname]',
    }))
    let dir: string
    try {
      dir = await buildWithOutputs(vite, outputs)
    } catch (error) {
      assert.match(codeOf(error as Error) ?? '', /^ERR_SIGNEDIMP_(LATE_WRITE|FILES|OUTPUT|PATH)$/)
      return
    }
    await check(dir, key)
  })
}

const signedTextOf = (manifest: string) => manifest.slice(manifest.indexOf('\n\n') + 2)

/** Builds the sources of a fixture again, in place. */
async function rebuild(
  vite: ViteName,
  folder: string,
  config: { plugins: unknown[] },
): Promise<string> {
  const { build: viteBuild } = (await import(vite)) as typeof import('vite')
  const outDir = join(folder, 'dist')
  await viteBuild({
    root: folder,
    configFile: false,
    logLevel: 'error',
    plugins: config.plugins as never,
    build: { outDir, emptyOutDir: true },
  })
  return outDir
}

async function buildWithOutputs(vite: ViteName, output: object[]): Promise<string> {
  const folder = dirname(await buildFixture(files, { vite }))
  const { build: viteBuild } = (await import(vite)) as typeof import('vite')
  const outDir = join(folder, 'dist')
  await viteBuild({
    root: folder,
    configFile: false,
    logLevel: 'error',
    plugins: [signedImp(key) as never],
    build: { outDir, emptyOutDir: true, minify: false, rollupOptions: { output } },
  })
  return outDir
}

/** The plugin of a later release, whose rewriter writes something else. */
async function pluginWithRewriter(version: string): Promise<typeof signedImp> {
  const folder = scratchFolder()
  mkdirSync(join(folder, 'dist'))
  cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  const names = filesIn(join(folder, 'dist')).filter((path) => path.endsWith('.js'))
  const found = names.filter((path) => textIn(join(folder, 'dist'), path).includes(rewriterVersion))
  assert.is(found.length, 1)
  const file = join(folder, 'dist', found[0]!)
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(rewriterVersion, version))
  const { signedImp: later } = await import(pathToFileURL(join(folder, 'dist/index.js')).href)
  return later
}

test.run()
