import { createPublicKey } from 'node:crypto'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { carrierOf } from '../emit/emitted.ts'
import { scratchFolder } from '../support/processes.ts'
import { filesIn, textIn } from './built.ts'
import {
  appFiles,
  build,
  buildWell,
  createApp,
  empty,
  esbuilds,
  refersToManifests,
  textsIn,
  type Found,
  type Said,
} from './esbuild-project.ts'

// esbuild itself, with the options that say what is built and what the files are called.

const both = ['src/main.js', 'src/admin.js']
const page = { html: ['index.html'] }

/** The module that a bootstrap loads. */
const mainOf = ({ dir }: Found, path: string): string =>
  /main:"([^"]*)"/.exec(textIn(dir, path))![1]!

/** What one page manifest lists, without what is ours. */
const listed = ({ pages }: Found): string[][] =>
  [...pages.values()].map(({ files }) =>
    [...files.keys()].filter((path) => !path.startsWith('signedimp-')).sort(),
  )

for (const esbuild of esbuilds) {
  test(`${esbuild}: a page, with splitting`, async () => {
    const found = await buildWell({ esbuild, entryPoints: both, signed: page })
    assert.equal(found.bootstraps, ['admin.js'])
    assert.ok(['index.html', 'main.css', 'dot.png'].every((path) => found.main.files.has(path)))
    const carrier = carrierOf(textIn(found.dir, 'index.html'))!
    assert.is(carrier.attributes['data-entry'], 'main.js')
    assert.match(textIn(found.dir, 'index.html'), /<link[^>]* href="\.\/main\.css"/)
    assert.ok(refersToManifests(found.dir))
  })

  test(`${esbuild}: entries that check themselves, with splitting`, async () => {
    const found = await buildWell({ esbuild, entryPoints: both })
    assert.equal(found.bootstraps, ['admin.js', 'main.js'])
    assert.is(found.pages.size, 2)
    for (const path of found.bootstraps)
      assert.ok([...found.pages.values()].some(({ files }) => files.has(mainOf(found, path))))
    assert.ok(refersToManifests(found.dir))
  })

  test(`${esbuild}: without splitting, and as one file`, async () => {
    const two = await buildWell({ esbuild, entryPoints: both, splitting: false })
    assert.equal(two.bootstraps, ['admin.js', 'main.js'])
    assert.equal(two.main.imports.size, 0)
    const one = await buildWell({ esbuild, outfile: 'out/app.js' })
    assert.equal(one.bootstraps, ['app.js'])
    assert.ok(one.main.files.has('app.css') && one.main.files.has('dot.png'))
  })

  test(`${esbuild}: the same input gives the same names and bytes, and another release only other entries`, async () => {
    const folder = await createApp()
    const namesOf = async (signed: Said['signed']) => {
      await empty(join(folder, 'dist'))
      const entryNames = '[dir]/[name]-[hash]'
      const { dir } = await buildWell({ esbuild, folder, entryPoints: both, entryNames, signed })
      return textsIn(dir)
    }
    const first = await namesOf({})
    assert.equal(await namesOf({}), first)
    const other = createPublicKey(await generateKey('ed25519'))
    const others = [
      { keys: [other] },
      { build: 7 },
      { name: 'fixture', expires: '2099-01-01' },
      { hash: 'sha512' },
    ]
    for (const signed of others as Said['signed'][]) {
      const other = await namesOf(signed)
      const isOwn = (path: string) => path.startsWith('signedimp-')
      for (const [path, text] of other)
        if (path !== 'signedimp-manifest.txt') assert.is(text, first.get(path) ?? text, path)
      const changed = [...other.keys()].filter((path) => !first.has(path) && !isOwn(path))
      assert.equal(
        changed.map((path) => path.replace(/-.*/, '')),
        ['admin', 'main'],
      )
      assert.match(changed[0]!, /^admin-[A-Z2-7]{8}\.js$/)
    }
  })
}

test('entries that import one another, and load one another later', async () => {
  const files = {
    'src/a.js': `import { b } from './b.js'
export const a = () => [b, import('./c.js')]
`,
    'src/b.js': 'export const b = 1\nexport const again = () => import("./a.js")\n',
    'src/c.js': 'import { b } from "./b.js"\nexport const c = b + 1\n',
    'src/lazy.js': 'export default () => import("./a.js")\n',
  }
  const folder = await createApp({
    ...files,
    'src/a.js': files['src/a.js'] + 'import("./lazy.js")',
  })
  const entryPoints = ['src/a.js', 'src/b.js', 'src/c.js']
  const found = await buildWell({ folder, entryPoints })
  assert.equal(found.bootstraps, ['a.js', 'b.js', 'c.js'])
  // Whatever loads an entry from inside loads its main chunk: its own check is for those outside.
  const inside = found.files.filter(
    (path) => path.endsWith('.js') && !path.startsWith('signedimp-'),
  )
  const texts = inside
    .filter((path) => !found.bootstraps.includes(path))
    .map((path) => textIn(found.dir, path))
    .join('\n')
  assert.not.match(texts, /["/][abc]\.js"/)
  assert.match(texts, `"./${mainOf(found, 'a.js')}"`)
  assert.match(texts, `"./${mainOf(found, 'c.js')}"`)
})

const ways: [what: string, said: Said, entries: string[]][] = [
  ['objects', { entryPoints: [{ in: 'src/main.js', out: 'js/app.v1' }] }, ['js/app.v1.js']],
  [
    'a record',
    { entryPoints: { 'js/app': 'src/main.js', b: './src/admin.js' } },
    ['b.js', 'js/app.js'],
  ],
  ['a pattern', { entryPoints: ['src/*.js'] }, ['admin.js', 'dep.js', 'lazy.js', 'main.js']],
  // What a pattern finds may be links: what is loaded lazily is taken for an entry then, too.
  [
    'a pattern of folders',
    { entryPoints: ['./**/a*n.js'], outbase: '.', chunkNames: 'c/[name]' },
    ['c/lazy.js', 'src/admin.js'],
  ],
  ['a name twice', { entryPoints: ['src/main.js', './src/main.js'] }, ['main.js']],
  ['outbase', { entryPoints: both, outbase: '.' }, ['src/admin.js', 'src/main.js']],
  [
    'outExtension',
    { entryPoints: both, outExtension: { '.js': '.mjs' } },
    ['admin.mjs', 'main.mjs'],
  ],
  ['no hash', { entryPoints: both, chunkNames: 'c/[name]' }, ['admin.js', 'main.js']],
  [
    '[dir]',
    { entryPoints: both, outbase: '.', entryNames: 'x/[dir]-[name]' },
    ['x/src-admin.js', 'x/src-main.js'],
  ],
  [
    '[ext]',
    { entryPoints: both, entryNames: '[ext]/[name]', assetNames: '[ext]/[name]-[hash]' },
    ['js/admin.js', 'js/main.js'],
  ],
]

/** Entry points that another one loads lazily, and whose names the metafile has otherwise. */
const renamed: [what: string, entryPoints: string[]][] = [
  ['a query', ['src/main.js', './src/lazy.js?x']],
  ['a fragment', ['src/main.js', './src/lazy.js#x']],
  ['a pattern', ['src/ma*.js', 'src/la*.js']],
]

for (const [what, entryPoints] of renamed)
  test(`an entry point that is loaded lazily too is an entry: ${what}`, async () => {
    const load = entryPoints[1]!.replace(/^(\.\/)?src/, '.').replace('*', 'zy')
    const folder = await createApp({
      'src/main.js': `globalThis.load = () => import('${load}')`,
      'src/lazy.js': 'export default 1',
    })
    const found = await buildWell({ folder, entryPoints })
    assert.equal(found.bootstraps, ['lazy.js', 'main.js'])
  })

for (const [what, said, entries] of ways)
  test(`entry points and names: ${what}`, async () => {
    const found = await buildWell(said)
    assert.equal(found.bootstraps, entries)
    assert.ok(refersToManifests(found.dir))
  })

test('entry points: only what was asked for starts by itself', async () => {
  assert.equal((await buildWell({ chunkNames: '[name]' })).bootstraps, ['main.js'])
  const folder = await createApp()
  const stdin = { contents: 'import("./lazy.js")', resolveDir: join(folder, 'src') }
  assert.equal((await buildWell({ folder, entryPoints: [], stdin })).bootstraps, ['stdin.js'])
  await empty(join(folder, 'dist'))
  const other = { ...stdin, sourcefile: 'x.js' }
  assert.equal((await buildWell({ folder, stdin: other })).bootstraps, ['main.js', 'stdin.js'])
  await empty(join(folder, 'dist'))
  // A text that goes by the name of a module is that module, and may be loaded as that.
  const asLazy = { contents: 'export default 1', sourcefile: 'lazy.js' }
  const named = { ...asLazy, resolveDir: join(folder, 'src') }
  assert.equal((await buildWell({ folder, stdin: named })).bootstraps, ['main.js', 'stdin.js'])
})

test('entry points: packages, and what other plugins make of names', async () => {
  const packages = {
    'node_modules/lib/package.json': '{"name":"lib","main":"it.js"}',
    'node_modules/lib/it.js': 'export const load = () => import("./more.js")',
    'node_modules/lib/more.js': 'export const it = () => import("./it.js")',
  }
  const folder = await createApp({ ...appFiles, ...packages })
  assert.equal((await buildWell({ folder, entryPoints: ['lib'] })).bootstraps, ['lib.js'])
  await empty(join(folder, 'dist'))

  const told: unknown[] = []
  const virtual = {
    name: 'virtual',
    setup(build: import('esbuild').PluginBuild) {
      build.onResolve({ filter: /^virtual:/ }, ({ path }) => ({
        path,
        namespace: 'virtual',
        pluginData: 'kept',
      }))
      build.onLoad({ filter: /.*/, namespace: 'virtual' }, ({ pluginData }) => {
        told.push(pluginData)
        const contents = 'import("virtual:a"); import("virtual:b"); import("./src/lazy.js")'
        return { contents, resolveDir: folder }
      })
    },
  }
  const entryPoints = { a: 'virtual:a' }
  for (const [where, html] of [
    ['behind', []],
    ['behind', ['index.html']],
  ] as const) {
    const signed = { html, unverified: ['src/main.js'] }
    const { bootstraps } = await buildWell({ folder, entryPoints, signed, [where]: [virtual] })
    // Nothing says that virtual:b was not asked for, but that it is known what was.
    assert.equal(bootstraps, ['a.js'])
  }
  assert.equal(told, ['kept', 'kept', 'kept', 'kept'])
  // Who is listed before us answers before we are asked: what may be an entry is one then.
  const { bootstraps } = await buildWell({ folder, entryPoints, plugins: [virtual] })
  assert.ok(bootstraps.includes('a.js') && bootstraps.length === 3)
})

test('names: where a pattern has a hash, the release is in it, wherever it stands', async () => {
  const folder = await createApp()
  const patterns: [Said, RegExp][] = [
    [{ entryNames: '[hash]/[name]' }, /^([A-Z2-7]{8})\/main\.js$/],
    [{ entryNames: '[name].[hash]' }, /^main\.([A-Z2-7]{8})\.js$/],
    [{ entryNames: '/./e/[name][hash]' }, /^e\/main([A-Z2-7]{8})\.js$/],
    [{ entryNames: 'e\\[hash]\\[name]-[hash]' }, /^e\/[A-Z2-7]{8}\/main-([A-Z2-7]{8})\.js$/],
    [
      { entryNames: '[ext]/[dir]-[name]-[hash]', outExtension: { '.js': '.min.mjs' } },
      /^min\.mjs\/-main-([A-Z2-7]{8})\.min\.mjs$/,
    ],
    [{ entryNames: '[name]-[hash]', outfile: 'dist/x.js' }, /^x-([A-Z2-7]{8})\.js$/],
    [
      { entryNames: '[dir]/[name]-[hash]', entryPoints: [{ in: 'src/main.js', out: 'a/b.c' }] },
      /^a\/b\.c-([A-Z2-7]{8})\.js$/,
    ],
  ]
  for (const [said, pattern] of patterns) {
    const hashOf = async (number: number) => {
      await empty(join(folder, 'dist'))
      const { bootstraps } = await buildWell({ folder, ...said, signed: { build: number } })
      assert.match(bootstraps[0]!, pattern)
      return pattern.exec(bootstraps[0]!)![1]
    }
    assert.is.not(await hashOf(1), await hashOf(2), JSON.stringify(said))
  }
})

test('names: a page whose entry has a hash in its name', async () => {
  const entryNames = 'e/[name]-[hash]'
  const found = await buildWell({ entryNames, signed: page })
  const carrier = carrierOf(textIn(found.dir, 'index.html'))!
  assert.match(carrier.attributes['data-entry']!, /^e%2Fmain-[A-Z2-7]{8}\.js$/)
  assert.equal(found.bootstraps, [])
})

test('names: an entry beside files of nearly its name', async () => {
  const near = ['mai_', 'mai-', 'MAI$'].map((out) => ({ in: 'src/admin.js', out }))
  const entryPoints = [{ in: 'src/main.js', out: 'main' }, ...near]
  const found = await buildWell({ entryPoints })
  const mains = found.bootstraps.map((path) => mainOf(found, path))
  const names = found.files.map((path) => path.toLowerCase())
  assert.is(new Set(names).size, names.length)
  assert.ok(mains.every((path) => found.main.files.has(path)))
})

const odd = [
  'a b',
  'ä',
  '日本',
  '🙂',
  "it's",
  'a&b',
  '(x)',
  '[id]',
  '$&',
  '@scope',
  'x+y',
  '~t',
  '1',
  '_',
  'a,b',
]

test('names: odd ones', async () => {
  const files = Object.fromEntries(
    odd.map((name) => [
      `src/${name}.js`,
      `export const n = import.meta.url\nimport("./lazy ${name}.js")`,
    ]),
  )
  const lazies = Object.fromEntries(odd.map((name) => [`src/lazy ${name}.js`, 'export default 1']))
  const folder = await createApp({ ...files, ...lazies })
  const entryPoints = odd.map((name) => `src/${name}.js`)
  const found = await buildWell({ folder, entryPoints, chunkNames: 'c/[name]-[hash]' })
  assert.equal(found.bootstraps, odd.map((name) => `${name}.js`).sort())
  assert.is(found.files.filter((path) => path.startsWith('c/')).length, odd.length)
})

test('publicPath: a path and a URL', async () => {
  for (const publicPath of ['/static', '/static/', 'https://cdn.example.com/app']) {
    const said = { publicPath, entryPoints: both, chunkNames: 'chunks/[name]-[hash]' }
    const found = await buildWell({ ...said, signed: page })
    const html = textIn(found.dir, 'index.html')
    const base = publicPath.replace(/\/$/, '')
    assert.match(html, `href="${base}/main.css"`)
    assert.match(html, `data-manifest="${base}/signedimp-manifest.`)
    assert.ok(found.main.imports.get('main.js')!.length > 0)
    const entries = await buildWell(said)
    assert.equal(listed(entries).length, 2)
    assert.is(entries.bootstraps.length, 2)
  }
})

test('absWorkingDir: one that is reached by a link', async () => {
  const folder = await createApp()
  const link = join(scratchFolder(), 'link')
  symlinkSync(folder, link, 'junction')
  for (const outdir of ['dist', join(link, 'out'), join(folder, 'out2')]) {
    const { errors } = await build(link, { outdir, metafile: true, signed: page })
    assert.equal(errors, [])
  }
  assert.equal(filesIn(join(folder, 'out')), filesIn(join(folder, 'dist')))
  assert.equal(textsIn(join(folder, 'out2')), textsIn(join(folder, 'out')))
})

test('pages: one that esbuild copies as an entry point', async () => {
  const files = {
    ...appFiles,
    'public/index.html':
      '<!doctype html><meta charset="utf-8"><script type="module" src="./main.js"></script>',
  }
  const entryPoints = [
    { in: 'src/main.js', out: 'main' },
    { in: 'public/index.html', out: 'index' },
  ]
  const loader = { '.html': 'copy', '.png': 'file' } as const
  const found = await buildWell({ files, entryPoints, loader })
  assert.is(carrierOf(textIn(found.dir, 'index.html'))!.attributes['data-entry'], 'main.js')
  assert.equal(found.bootstraps, [])
})

test('stylesheets and assets are listed', async () => {
  const files = { ...appFiles, 'src/data.bin': 'data', 'src/more.css': '@import "./main.css";' }
  const entryPoints = ['src/more.css', 'src/data.bin', 'src/main.js']
  const loader = { '.bin': 'copy', '.png': 'file' } as const
  const found = await buildWell({ files, entryPoints, loader, assetNames: 'assets/[name]-[hash]' })
  for (const pattern of [/^more\.css$/, /^data\.bin$/, /^main\.css$/, /^assets\/dot-\w{8}\.png$/])
    assert.ok(
      [...found.main.files.keys()].some((path) => pattern.test(path)),
      String(pattern),
    )
  assert.equal(found.bootstraps, ['main.js'])
})

test.run()
