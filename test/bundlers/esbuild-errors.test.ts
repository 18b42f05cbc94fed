import { createPublicKey } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { BuildOptions } from 'esbuild'
import { signedImp } from 'signedimp/esbuild'
import { manifestsIn } from './built.ts'
import {
  appFiles,
  build,
  buildWell,
  createApp,
  empty,
  esbuilds,
  failureOf,
  key,
  load,
  optionsOf,
  refusalOf,
  type Said,
} from './esbuild-project.ts'

// What a build says that cannot be signed, in esbuild's own form.

const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString()
const publicPem = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()

for (const esbuild of esbuilds)
  for (const [what, said, texts] of [
    ['iife', { format: 'iife', splitting: false }, [`needs "format: 'esm'"`, `it is 'iife'`]],
    ['cjs', { format: 'cjs', splitting: false }, [`it is 'cjs'`]],
    ['no format', { format: undefined, splitting: false }, ['it is not set']],
    ['no bundle', { bundle: false, splitting: false }, ['needs "bundle: true"']],
    ...['assets', './', '../', 'C:/x', 'https://x/?a', '/a#b', 'file:///x'].map((publicPath) => [
      `publicPath "${publicPath}"`,
      { publicPath },
      ['needs "publicPath" to be a path with a slash in front', `it is '${publicPath}'`],
    ]),
    [
      'names of modules that are none',
      { outExtension: { '.js': '.mod' } },
      [`"outExtension" makes them end in '.mod'`],
    ],
    [
      'platform node, without servers',
      { platform: 'node', plugins: [signedImp(key, { server: false })] },
      ['leave the option out, or the plugin'],
    ],
    [
      'a server of iife',
      { platform: 'node', format: 'iife', splitting: false },
      [`or "format: 'cjs'"`],
    ],
    ['a server of URLs', { platform: 'node', publicPath: '/x/' }, ['"publicPath" to be left out']],
    [
      'no outdir',
      { outdir: undefined, splitting: false, entryPoints: ['src/admin.js'], loader: {} },
      ['needs "outdir"'],
    ],
  ] as [string, BuildOptions, string[]][])
    test(`${esbuild}: refused before anything is built: ${what}`, async () => {
      const folder = await createApp()
      const { build } = await load(esbuild)
      const options = { ...optionsOf(folder), ...said } as BuildOptions
      const error = await refusalOf(build(options))
      for (const text of texts) assert.match(error.text, text)
      assert.is(error.pluginName, 'signedimp')
      assert.not.ok(existsSync(join(folder, 'dist')))
    })

test('all that is wrong with the options is said at once', async () => {
  const folder = await createApp()
  const options = { ...optionsOf(folder), bundle: false, splitting: false, format: 'cjs' as const }
  const errors = await failureOf((await load()).build(options))
  assert.is(errors.length, 2)
})

for (const esbuild of esbuilds) {
  test(`${esbuild}: refused: an import from outside, where the source says so`, async () => {
    const main = `// a comment\nimport { x } from 'https://cdn.example.com/x.js'\nconsole.log(x)\n`
    const folder = await createApp({ ...appFiles, 'src/main.js': main })
    const said = { esbuild, external: ['https://*'] }
    const { location, text, id } = await refusalOf(build(folder, said))
    assert.match(text, 'ERR_SIGNEDIMP_OUTPUT')
    assert.equal(
      [location!.file, location!.line, location!.column, location!.lineText],
      ['src/main.js', 2, 18, main.split('\n')[1]],
    )
    assert.is(id, 'ERR_SIGNEDIMP_OUTPUT')
    assert.equal(manifestsIn(join(folder, 'dist')), [])
  })

  test(`${esbuild}: refused: a shared worker that is copied, by its name`, async () => {
    const files = {
      ...appFiles,
      'src/main.js': 'import url from "./worker.mjs"\nnew SharedWorker(url)',
      'src/worker.mjs': 'onconnect = ({ ports }) => ports[0].postMessage(1)',
    }
    const folder = await createApp(files)
    const said: Said = { esbuild, loader: { '.mjs': 'file' } }
    const { text, id } = await refusalOf(build(folder, said))
    assert.match(text, /^ERR_SIGNEDIMP_NOT_COVERED [^]*\n {2}worker\.mjs: code that is no module/)
    assert.is(id, 'ERR_SIGNEDIMP_NOT_COVERED')
    assert.not.ok(existsSync(join(folder, 'dist')))
  })
}

test('refused: what an entry imports, under the name that esbuild gave the entry', async () => {
  const main = 'export * from "https://cdn.example.com/x.js"\nnew import.meta.URL()'
  const folder = await createApp({ ...appFiles, 'src/main.js': main.split('\n')[1]! })
  const { text } = await refusalOf(build(folder))
  assert.match(text, /^ERR_SIGNEDIMP_OUTPUT main\.js: constructs a property of import\.meta/)
})

test('what is external and not used is no error', async () => {
  const files = {
    ...appFiles,
    'src/main.js': 'import { a } from "lib"\nconsole.log(1)',
    'node_modules/lib/package.json': '{"sideEffects":false}',
    'node_modules/lib/index.js': 'export { b as a } from "outside"',
  }
  const { bootstraps } = await buildWell({ files, external: ['outside'] })
  assert.equal(bootstraps, ['main.js'])
})

const pages: [what: string, tag: string, attribute: string, code?: string][] = [
  [
    "a third party's module",
    '<script type="module" src="https://cdn.example.com/x.js"></script>',
    'src="https://cdn.example.com/x.js"',
  ],
  [
    'a source that is no entry point',
    '<script type="module" src="src/other.js"></script>',
    'src="src/other.js"',
  ],
  ['a script without integrity', "<script src='/a.js?a&amp;b'></script>", "src='/a.js?a&amp;b'"],
  ['a module in the page', '<script type="module">\n  run()\n</script>', '<script type="module"'],
  [
    'an import map',
    '<script type="importmap">{</script>',
    '<script type="importmap"',
    'ERR_SIGNEDIMP_OUTPUT',
  ],
  ['a modulepreload', '<link rel="modulepreload" href="./x.js">', 'href="./x.js"'],
]

for (const [what, tag, attribute, code = 'ERR_SIGNEDIMP_NOT_COVERED'] of pages)
  for (const way of ['html', 'copy'])
    test(`refused, where the page says so (${way}): ${what}`, async () => {
      const line = `<p>ü</p>  ${tag.split('\n')[0]}`
      const start = '<!doctype html>\r\n<meta charset="utf-8">\r\n'
      const text = `${start}<p>ü</p>  ${tag}\r\n<script type="module" src="src/main.js"></script>`
      const folder = await createApp({ ...appFiles, 'pages/index.html': '', 'index.html': text })
      const copied: Said = {
        entryPoints: { main: 'src/main.js', index: 'index.html' },
        loader: { '.html': 'copy', '.png': 'file' },
      }
      const said: Said = way === 'html' ? { signed: { html: ['index.html'] } } : copied
      const { location, id } = await refusalOf(build(folder, said))
      // A page that is copied names sources, and so starts nothing.
      assert.is(id, way === 'html' ? code : 'ERR_SIGNEDIMP_NOT_COVERED')
      assert.is(location!.file, 'index.html')
      assert.is(location!.line, 3)
      assert.is(location!.lineText, line)
      const bytes = Buffer.from(line)
      const found = bytes.subarray(location!.column, location!.column + location!.length)
      assert.is(found.toString(), attribute)
    })

test('a page that is missing, and one that the output has already', async () => {
  const folder = await createApp()
  const error = await refusalOf(build(folder, { signed: { html: ['nowhere/index.html'] } }))
  assert.match(error.text, /^ERR_SIGNEDIMP_OUTPUT index\.html: .*cannot be read \(ENOENT\)/)
  const twice: Said = {
    entryPoints: ['src/main.js', { in: 'index.html', out: 'index' }] as never,
    loader: { '.html': 'copy', '.png': 'file' },
    signed: { html: ['index.html'] },
  }
  assert.match((await refusalOf(build(folder, twice))).text, 'a file of the output too')
})

// Keys.

for (const esbuild of esbuilds) {
  test(`${esbuild}: refused: a key that is no key, and one that is not there`, async () => {
    const folder = await createApp({ ...appFiles, 'wrong.pem': 'not a key' })
    const { build } = await load(esbuild)
    for (const name of ['wrong.pem', 'missing.pem']) {
      const options = optionsOf(folder, { signed: false, plugins: [signedImp(name)] })
      const { text, id } = await refusalOf(build(options))
      assert.match(text, /^ERR_SIGNEDIMP_KEY /)
      assert.match(text, name)
      assert.is(id, 'ERR_SIGNEDIMP_KEY')
    }
    assert.not.ok(existsSync(join(folder, 'dist')))
  })

  for (const loader of ['text', 'base64', 'dataurl', 'binary', 'file', 'copy'] as const)
    test(`${esbuild}: refused: a key that the app imports, by the loader "${loader}"`, async () => {
      const main = 'import key from "../release.pem"\nconsole.log(key)'
      const folder = await createApp({ ...appFiles, 'src/main.js': main, 'release.pem': pem })
      const own = [signedImp('release.pem')]
      const said: Said = { signed: false, plugins: own, loader: { '.pem': loader } }
      const error = await refusalOf((await load(esbuild)).build(optionsOf(folder, said)))
      assert.match(error.text, /^ERR_SIGNEDIMP_KEY_EXPOSED /)
      assert.is(error.detail.code, 'ERR_SIGNEDIMP_KEY_EXPOSED')
      assert.not.match(error.text, pem.split('\n')[1]!)
      assert.not.ok(existsSync(join(folder, 'dist')))
    })
}

test('refused: a key that another plugin puts into the output, and one in the output folder', async () => {
  const folder = await createApp({ ...appFiles, 'release.pem': pem, 'dist/release.pem': pem })
  const leak = {
    name: 'leak',
    setup(build: import('esbuild').PluginBuild) {
      build.onLoad({ filter: /dep\.js$/ }, () => ({
        contents: `export const dep = ${JSON.stringify(pem)}`,
      }))
    },
  }
  const leaking = optionsOf(folder, {
    signed: false,
    plugins: [leak, signedImp('release.pem')],
    outdir: 'out',
  })
  const esbuild = await load()
  assert.is((await refusalOf(esbuild.build(leaking))).id, 'ERR_SIGNEDIMP_KEY_EXPOSED')
  const inside = optionsOf(folder, { signed: false, plugins: [signedImp('dist/release.pem')] })
  const error = await refusalOf(esbuild.build(inside))
  assert.match(
    error.text,
    /^ERR_SIGNEDIMP_KEY_EXPOSED release\.pem: is in dist, which is published/,
  )
  assert.is(readFileSync(join(folder, 'dist/release.pem'), 'utf8'), pem)
})

for (const esbuild of esbuilds)
  test(`${esbuild}: a public key lists, and warns that nothing is signed`, async () => {
    const folder = await createApp({ ...appFiles, 'release.pem.pub': publicPem })
    const own = [signedImp('release.pem.pub', { html: ['index.html'] })]
    const { build } = await load(esbuild)
    const { warnings } = await build(optionsOf(folder, { signed: false, plugins: own }))
    assert.is(warnings.length, 1)
    assert.match(warnings[0]!.text, /^signedimp: NOT SIGNED YET: .* signedimp sign <folder>/)
    assert.is(warnings[0]!.pluginName, 'signedimp')
    assert.match(readFileSync(join(folder, 'dist/signedimp-manifest.txt'), 'utf8'), /^\nsha256\n/)
  })

test("mode 'off' signs nothing, changes nothing, and warns", async () => {
  const folder = await createApp()
  const { warnings, metafile } = await build(folder, { signed: { mode: 'off' } })
  assert.equal(
    warnings.map(({ text }) => text),
    ["signedimp: mode is 'off': this output is NOT signed and nothing checks it"],
  )
  assert.is(metafile, undefined)
  assert.equal(manifestsIn(join(folder, 'dist')), [])
  const code = readFileSync(join(folder, 'dist/main.js'), 'utf8')
  assert.match(code, 'import("./lazy')
  assert.not.match(code, 'signedimp')
})

// Folders: esbuild never empties one.

test('refused: a second build with another one-time key into the same folder', async () => {
  const folder = await createApp()
  const esbuild = await load()
  const once = () => esbuild.build(optionsOf(folder, { signed: false, plugins: [signedImp()] }))
  await once()
  const { text, notes, id } = await refusalOf(once())
  assert.match(
    text,
    /^ERR_SIGNEDIMP_FILES signedimp-blob-\w+\.js: stood in the output folder before/,
  )
  assert.equal(
    notes.map((note) => note.text),
    ['esbuild never empties "outdir": remove it before a build'],
  )
  assert.is(id, 'ERR_SIGNEDIMP_FILES')
  assert.equal(manifestsIn(join(folder, 'dist')), [])
  await empty(join(folder, 'dist'))
  await once()
})

test('refused: files that nobody vouches for; kept: those of the build before', async () => {
  const folder = await createApp()
  await buildWell({ folder, entryNames: '[name]-[hash]' })
  await createApp({ 'src/dep.js': 'export const dep = 2' }, folder)
  const { bootstraps } = await buildWell({ folder, entryNames: '[name]-[hash]' })
  assert.is(bootstraps.length, 2)
  writeFileSync(join(folder, 'dist/old.js'), '1')
  const { text } = await refusalOf(build(folder, { entryNames: '[name]-[hash]' }))
  assert.match(text, /^ERR_SIGNEDIMP_FILES old\.js: /)
  assert.not.ok(manifestsIn(join(folder, 'dist')).includes('signedimp-manifest.txt'))
})

test('refused: names that lead out of the output folder', async () => {
  const folder = await createApp()
  const { text, id } = await refusalOf(build(folder, { assetNames: '../[name]' }))
  assert.match(text, /^ERR_SIGNEDIMP_PATH \.\.\/dot\.png: is outside of "outdir"/)
  assert.is(id, 'ERR_SIGNEDIMP_PATH')
  assert.not.ok(existsSync(join(folder, 'dot.png')))
})

for (const [what, change] of [
  ['write', { write: true }],
  ['outdir', { outdir: 'elsewhere' }],
  ['footer', { footer: { js: '' } }],
  ['entryNames', { entryNames: 'x-[hash]' }],
] as [string, BuildOptions][])
  test(`refused: another plugin that changes "${what}" behind ours`, async () => {
    const folder = await createApp()
    const other = {
      name: 'other',
      setup: ({ initialOptions }: import('esbuild').PluginBuild) =>
        void Object.assign(initialOptions, change),
    }
    const { text } = await refusalOf(build(folder, { behind: [other] }))
    assert.is(
      text,
      `another plugin changes "${what}" behind signedimp: list signedimp after that one`,
    )
    assert.not.ok(existsSync(join(folder, 'dist')))
    const { errors } = await build(folder, what === 'write' ? {} : { plugins: [other] })
    assert.equal(errors, [])
  })

test.run()
