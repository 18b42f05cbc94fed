import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { BuildOptions, OutputFile } from 'esbuild'
import { signedImp } from 'signedimp/esbuild'
import { nodeCrypto, hashBytes } from '../../src/crypto/node.ts'
import { toTrustedKey } from '../../src/keys/public.ts'
import { verifyManifest } from '../../src/manifest/verify.ts'
import { filesIn, textIn } from './built.ts'
import {
  build,
  buildWell,
  checkFolder,
  checkMetafile,
  createApp,
  empty,
  esbuilds,
  failureOf,
  key,
  load,
  optionsOf,
  refusalOf,
  textsIn,
  type Found,
  type Said,
} from './esbuild-project.ts'

// What stands in the files that esbuild writes with the plugin, compared with what it writes without.

const both = ['src/main.js', 'src/admin.js']

/** The same build without the plugin, in memory. Its names are others: the mark is part of what is hashed. */
async function plain(folder: string, said: Said): Promise<Map<string, string>> {
  const { outputFiles } = await build(folder, { ...said, signed: false, write: false })
  return new Map(
    outputFiles!.map(({ path, text }) => [path.replace(/^.*\/dist\//, ''), text] as const),
  )
}

/** A name without its hash, and for a main chunk that of its entry. */
const plainName = ({ dir, bootstraps }: Found, path: string): string => {
  const entry = bootstraps.find((name) => textIn(dir, name).includes(`main:"${path}"`)) ?? path
  return entry.replace(/-[A-Z2-7]{8}\b/, '')
}

const comment = /\n\/\/# sourceMappingURL=(\S+)/

function mapOf(code: string, read: (name: string) => string): { mappings: string } {
  const [, url] = comment.exec(code)!
  const data = /^data:.*?base64,(.*)$/.exec(url!)?.[1]
  return JSON.parse(data ? Buffer.from(data, 'base64').toString() : read(url!))
}

/** Shapes of texts: how long each line is, up to where the source map is named and the helpers stand. */
const shapeOf = (code: string): number[] =>
  code
    .replace(/^\ufeff/, '')
    .split('\n')
    .map((line) => line.length)

const shapes: [what: string, said: BuildOptions][] = [
  ['plain', {}],
  ['minify', { minify: true }],
  ['keepNames', { keepNames: true, minify: true }],
  ['legalComments eof', { legalComments: 'eof' }],
  ['legalComments linked', { legalComments: 'linked' }],
  ['legalComments external', { legalComments: 'external' }],
  ['banner', { banner: { js: '/* banner */', css: '/* css banner */' } }],
  ['footer', { footer: { js: '/* footer */', css: '/* css footer */' } }],
  ['footer of several lines', { footer: { js: '//1\n//2\n' }, minify: true }],
  ['charset', { charset: 'utf8' }],
]

const texts = {
  'src/dep.js': '/*! @license of dep */\nexport function dep() { return "ü" }\n',
}

for (const [what, said] of shapes)
  test(`lines and columns stay as they are: ${what}`, async () => {
    const folder = await createApp()
    await createApp(texts, folder)
    const options: Said = { ...said, entryPoints: both, sourcemap: true }
    const before = await plain(folder, options)
    const found = await buildWell({ ...options, folder })
    const names = new Map(
      [...before.keys()].map((path) => [path.replace(/-[A-Z2-7]{8}\b/, ''), path]),
    )
    const chunks = found.files.filter((path) => path.endsWith('.js.map'))
    assert.is(chunks.length, [...before.keys()].filter((path) => path.endsWith('.js.map')).length)
    for (const map of chunks) {
      const path = map.slice(0, -'.map'.length)
      const code = textIn(found.dir, path)
      const old = before.get(names.get(plainName(found, path))!)!
      assert.match(code, `sourceMappingURL=${path.split('/').at(-1)}.map`)
      const oldMap = JSON.parse(before.get(`${names.get(plainName(found, path))}.map`)!)
      assert.equal(JSON.parse(textIn(found.dir, map)), oldMap, path)
      const shape = shapeOf(old.replace(comment, ''))
      assert.equal(shapeOf(code).slice(0, shape.length - 1), shape.slice(0, -1), path)
      for (const text of [said.banner?.['js'], said.footer?.['js']])
        if (text) assert.match(code, text)
    }
    const legal = [...before.keys()].filter((path) => /LEGAL/.test(path))
    assert.is(found.files.filter((path) => /LEGAL/.test(path)).length, legal.length)
    assert.is(legal.length > 0, /linked|external/.test(said.legalComments ?? ''))
    for (const css of found.files.filter((path) => path.endsWith('.css')))
      assert.is(textIn(found.dir, css), before.get(css))
  })

for (const esbuild of esbuilds)
  for (const sourcemap of ['linked', 'inline', 'external', 'both'] as const)
    test(`${esbuild}: source maps stay true: ${sourcemap}`, async () => {
      const folder = await createApp()
      const said: Said = {
        esbuild,
        sourcemap,
        chunkNames: '[name]',
        splitting: sourcemap !== 'both',
      }
      const before = await plain(folder, said)
      const found = await buildWell({ ...said, folder })
      for (const path of found.files) {
        if (
          !path.endsWith('.js') ||
          path.startsWith('signedimp-') ||
          found.bootstraps.includes(path)
        )
          continue
        const old = before.get(plainName(found, path))
        const oldName = plainName(found, path)
        if (sourcemap !== 'external') {
          const now = mapOf(textIn(found.dir, path), (name) => textIn(found.dir, name))
          assert.equal(
            now,
            mapOf(old!, (name) => before.get(name)!),
            path,
          )
        }
        if (sourcemap === 'external' || sourcemap === 'both')
          assert.equal(textIn(found.dir, `${path}.map`), before.get(`${oldName}.map`), path)
      }
      assert.is(
        found.files.some((path) => path.endsWith('.map')),
        sourcemap !== 'inline',
      )
    })

for (const esbuild of esbuilds) {
  const names = { entryNames: '[dir]/[name]-[hash]', sourcemap: true as const }
  const kinds: [string, Said][] = [
    ['entries', { entryPoints: both }],
    ['entries with hashes and maps', { entryPoints: both, ...names }],
    ['a page', { entryPoints: both, signed: { html: ['index.html'], inline: false } }],
    ['one file', { outfile: 'dist/app.js', splitting: false, legalComments: 'linked' }],
  ]
  for (const [what, said] of kinds)
    test(`${esbuild}: the metafile tells of every file: ${what}`, async () => {
      const folder = await createApp()
      const { dir, result, bootstraps } = await buildWell({
        esbuild,
        ...said,
        folder,
        metafile: true,
      })
      const metafile = result.metafile!
      checkMetafile(folder, dir, metafile)
      for (const path of bootstraps) {
        const { entryPoint, exports, imports, cssBundle } = metafile.outputs[`dist/${path}`]!
        const isMain = /^(main|app)/.test(path)
        assert.is(entryPoint, isMain ? 'src/main.js' : 'src/admin.js')
        assert.equal(exports, isMain ? ['where'] : ['default'])
        assert.is(cssBundle !== undefined, isMain)
        assert.is(imports.length, 1)
        const main = metafile.outputs[imports[0]!.path]!
        assert.ok(main.entryPoint === undefined && Object.keys(main.inputs).length > 0)
      }
      const { analyzeMetafile } = await load(esbuild)
      const text = await analyzeMetafile(metafile, { verbose: true })
      assert.match(text, 'dist/signedimp-manifest.txt')
      assert.match(text, 'src/dep.js')
    })

  test(`${esbuild}: there is no metafile where none is asked for, but plugins see it`, async () => {
    const seen: boolean[] = []
    const reader = {
      name: 'reader',
      setup(build: import('esbuild').PluginBuild) {
        build.onEnd(({ metafile }) => void seen.push(metafile !== undefined))
      },
    }
    const { result } = await buildWell({ esbuild, plugins: [reader], behind: [reader] })
    assert.is(result.metafile, undefined)
    assert.is(result.outputFiles, undefined)
    assert.equal(seen, [true, true])
  })

  test(`${esbuild}: write: false gives all files, and writes none`, async () => {
    const folder = await createApp()
    const said: Said = {
      esbuild,
      entryPoints: both,
      sourcemap: true,
      signed: { html: ['index.html'] },
    }
    const { outputFiles, metafile } = await build(folder, { ...said, write: false, metafile: true })
    assert.not.ok(existsSync(join(folder, 'dist')))
    const { dir, result } = await buildWell({ ...said, folder, metafile: true })
    const given = new Map(outputFiles!.map((file) => [file.path, file]))
    assert.equal(
      [...given.keys()].sort(),
      filesIn(dir).map((path) => join(dir, path)),
    )
    for (const [path, { contents, text, hash }] of given) {
      const isManifest = /signedimp-manifest(\.\w+)?\.txt$/.test(path)
      // Ed25519 signs the same text the same way.
      assert.is(Buffer.compare(contents, readFileSync(path)), 0, path)
      assert.is(text, readFileSync(path, 'utf8'))
      assert.ok(hash !== '' && (isManifest || hash.length > 5))
    }
    assert.equal(metafile, result.metafile)
    await verifyInMemory(outputFiles!, dir)
  })
}

/** Holds that the main manifest lists the files that are handed over. */
async function verifyInMemory(files: OutputFile[], dir: string): Promise<void> {
  const contents = new Map(files.map((file) => [file.path.slice(dir.length + 1), file.contents]))
  const stored = contents.get('signedimp-manifest.txt')!
  const trust = { keys: [toTrustedKey(key)], threshold: 1, name: 'fixture' }
  const manifest = await verifyManifest(stored, trust, nodeCrypto)
  const wanted = [...contents].filter(([path]) => !path.startsWith('signedimp-manifest'))
  assert.equal(
    new Map(manifest.files),
    new Map(wanted.map(([path, bytes]) => [path, hashBytes('sha256', bytes)] as const).sort()),
  )
}

test('what is copied is no chunk, even where it ends like one', async () => {
  const folder = await createApp()
  let marked = ''
  const spy = {
    name: 'spy',
    setup(build: import('esbuild').PluginBuild) {
      build.onEnd(({ outputFiles }) => void (marked = outputFiles![0]!.text))
    },
  }
  await build(folder, { plugins: [spy], write: false, splitting: false })
  assert.match(marked, 'signedimp:not-signed')
  await createApp(
    { 'src/worker.mjs': marked, 'src/main.js': 'import url from "./worker.mjs"\nopen(url)' },
    folder,
  )
  const loader = { '.mjs': 'file' } as const
  const error = await refusalOf(build(folder, { loader }))
  assert.match(error.text, /^ERR_SIGNEDIMP_NOT_COVERED [^]*\n {2}worker\.mjs: /)
})

for (const esbuild of esbuilds)
  test(`${esbuild}: options are given back as they were, and may be used again`, async () => {
    const folder = await createApp()
    const { build, context } = await load(esbuild)
    const options = optionsOf(folder, { footer: { js: '/* mine */' }, metafile: false })
    const before = { ...options }
    const dir = join(folder, 'dist')
    const first = textsIn((await checkFolder(dir, await build(options))).dir)
    assert.equal(options, before)
    await empty(dir)
    assert.equal(textsIn((await checkFolder(dir, await build(options))).dir), first)
    // Before a context's first build, esbuild still has to read them: the last of them gives them back.
    const contexts = [await context(options), await context(options)]
    for (const one of contexts) {
      await empty(dir)
      assert.equal(textsIn((await checkFolder(dir, await one.rebuild())).dir), first)
    }
    assert.equal(options, before)
    for (const one of contexts) await one.dispose()
  })

test('options: a copy of those that a context has not read yet, and what cannot be copied', async () => {
  const folder = await createApp()
  const { build: run, context } = await load()
  const options = optionsOf(folder)
  const first = await context(options)
  const copied = { ...options, outdir: 'copied' }
  await checkFolder(join(folder, 'copied'), await run(copied))
  assert.equal(copied, { ...optionsOf(folder), plugins: copied.plugins, outdir: 'copied' })
  const { footer, write, metafile } = options
  const lossy = { ...optionsOf(folder), footer, write, metafile } as typeof options
  assert.match((await refusalOf(run(lossy))).text, 'these options are a copy')
  await checkFolder(join(folder, 'dist'), await first.rebuild())
  await first.dispose()
  assert.equal((await run({ ...options, outdir: 'out' })).errors, [])
  const frozen = Object.freeze(optionsOf(folder, { outdir: 'frozen' }))
  assert.match((await refusalOf(run(frozen))).text, 'are frozen: give a copy of them')
  await checkFolder(join(folder, 'frozen'), await run({ ...frozen }))
  const twice = await failureOf(build(folder, { behind: [signedImp(key)] }))
  assert.ok(twice.every(({ text }) => text.startsWith('signedimp is there twice')))
})

test.run()
