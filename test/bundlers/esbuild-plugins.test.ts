import { appendFileSync } from 'node:fs'
import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { BuildResult, Plugin, PluginBuild } from 'esbuild'
import { carrierOf } from '../emit/emitted.ts'
import { writeFiles } from '../support/fixture.ts'
import { manifestsIn, textIn } from './built.ts'
import {
  appFiles,
  build,
  buildWell,
  createApp,
  empty,
  esbuilds,
  refusalOf,
  type Said,
} from './esbuild-project.ts'

// Other plugins, whose only way to emit is to write into the output folder when a build ends.

type End = (result: BuildResult, build: PluginBuild) => unknown

const atEnd = (act: End): Plugin => ({
  name: 'other',
  setup(build) {
    build.onEnd(async (result) => void (await act(result, build)))
  },
})

const module = (src: string) =>
  `<!doctype html><meta charset="utf-8"><script type="module" src="${src}"></script>`

/** Writes a text into the output folder, which esbuild itself may not have made yet. */
const writer = (path: string, text: string): Plugin =>
  atEnd(async (_, { initialOptions }) => {
    const file = join(initialOptions.absWorkingDir!, 'dist', path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
  })

/** A page of the entries, made as @craftamap/esbuild-plugin-html makes it: of the metafile, and written at the end. */
const html = (entryPoints: string[], scriptLoading: 'module' | 'defer' = 'module'): Plugin => ({
  name: 'esbuild-html-plugin',
  setup(build) {
    if (build.initialOptions.metafile === false) throw new Error('metafile is explicitly disabled')
    build.initialOptions.metafile = true
    const { absWorkingDir = '', outdir = '', publicPath } = build.initialOptions
    build.onEnd(async ({ metafile }) => {
      if (!metafile) throw new Error('metafile is missing!')
      const found = Object.entries(metafile.outputs).filter(
        ([, { entryPoint }]) => entryPoint !== undefined && entryPoints.includes(entryPoint),
      )
      const refer = (path: string) => (publicPath ?? '') + relative(outdir, path)
      const scripts = found.map(([path]) =>
        scriptLoading === 'module'
          ? `<script src="${refer(path)}" type="module"></script>`
          : `<script src="${refer(path)}" defer=""></script>`,
      )
      const styles = found.flatMap(([, { cssBundle }]) =>
        cssBundle ? `<link rel="stylesheet" href="${refer(cssBundle)}">` : [],
      )
      const text = `<!DOCTYPE html><html><head><meta charset="utf-8">${styles.join('')}</head><body>${scripts.join('')}</body></html>`
      await mkdir(join(absWorkingDir, outdir), { recursive: true })
      await writeFile(join(absWorkingDir, outdir, 'index.html'), text)
    })
  },
})

for (const esbuild of esbuilds) {
  test(`${esbuild}: taken in: a page that a plugin before ours makes of the metafile`, async () => {
    const said: Said = { esbuild, entryNames: '[name]-[hash]', plugins: [html(['src/main.js'])] }
    const folder = await createApp()
    // The second build finds the page of the first one there, signed.
    for (const dep of ['1', '2']) {
      await createApp({ 'src/dep.js': `export const dep = ${dep}` }, folder)
      const { dir, bootstraps, files, main } = await buildWell({ ...said, folder })
      const text = textIn(dir, 'index.html')
      const entry = carrierOf(text)!.attributes['data-entry']!
      assert.match(entry, /^main-[A-Z2-7]{8}\.js$/)
      assert.ok(files.includes(entry) && main.files.has('index.html'))
      assert.match(text, /<link integrity="sha256-[^"]+" rel="stylesheet"/)
      assert.equal(bootstraps, [])
    }
  })

  test(`${esbuild}: taken in: other files that a plugin before ours writes`, async () => {
    const plugins = [writer('robots.txt', 'all'), writer('deep/er/icon.svg', '<svg/>')]
    const found = await buildWell({ esbuild, plugins })
    assert.ok(found.main.files.has('robots.txt') && found.main.files.has('deep/er/icon.svg'))
  })

  test(`${esbuild}: taken in: what a plugin before ours changes in the files in memory`, async () => {
    const edit = atEnd(({ outputFiles }) => {
      const file = outputFiles!.find(({ path }) => path.endsWith('.css'))!
      file.contents = Buffer.from('body{}/* edited */')
    })
    const { dir } = await buildWell({ esbuild, plugins: [edit] })
    assert.is(textIn(dir, 'main.css'), 'body{}/* edited */')
  })

  test(`${esbuild}: refused, with all signatures: a file that a plugin behind ours changes`, async () => {
    const folder = await createApp()
    for (const path of ['mai_.js', 'main.js', 'main.css', 'index.html', 'signedimp-manifest']) {
      const change = atEnd(() => {
        const name = path === 'signedimp-manifest' ? manifestsIn(join(folder, 'dist'))[0]! : path
        appendFileSync(join(folder, 'dist', name), ' ')
      })
      const files = { 'index.html': appFiles['index.html']!.replace('src/main', 'src/admin') }
      await createApp(files, folder)
      await empty(join(folder, 'dist'))
      const signed = { html: ['index.html'] }
      const entryPoints = ['src/main.js', 'src/admin.js']
      const { text, notes, id } = await refusalOf(
        build(folder, { esbuild, entryPoints, signed, behind: [change] }),
      )
      assert.match(text, /^ERR_SIGNEDIMP_LATE_WRITE /)
      assert.is(id, 'ERR_SIGNEDIMP_LATE_WRITE')
      assert.match(notes[0]!.text, 'must be listed before signedimp')
      assert.equal(manifestsIn(join(folder, 'dist')), [])
    }
    const { text } = await refusalOf(build(folder, { esbuild, entryPoints: ['src/admin.js'] }))
    assert.match(text, /^ERR_SIGNEDIMP_FILES /)
  })

  test(`${esbuild}: files that a plugin behind ours adds: data is listed, code is refused`, async () => {
    const { main } = await buildWell({ esbuild, behind: [writer('late.txt', '1')] })
    assert.ok(main.files.has('late.txt'))
    const folder = await createApp()
    for (const [path, text] of [
      ['late.js', '1'],
      ['late.html', module('main.js')],
      ['late.svg', '<svg><script>a()</script></svg>'],
    ] as const) {
      const said: Said = { esbuild, behind: [writer(path, text)] }
      const error = await refusalOf(build(folder, said))
      assert.match(error.text, /^ERR_SIGNEDIMP_NOT_COVERED /)
      assert.match(error.text, `  ${path}: written beside the bundle by another plugin`)
      assert.equal(manifestsIn(join(folder, 'dist')), [])
      await empty(join(folder, 'dist'))
    }
  })

  test(`${esbuild}: refused: another plugin that edits what is handed over and not written`, async () => {
    const folder = await createApp()
    const edits: [string, (files: NonNullable<BuildResult['outputFiles']>) => unknown][] = [
      [
        'mai_.js',
        (files) =>
          (files.find(({ path }) => path.endsWith('mai_.js'))!.contents = Buffer.from('1')),
      ],
      [
        'main.css',
        (files) =>
          files.splice(
            files.findIndex(({ path }) => path.endsWith('main.css')),
            1,
          ),
      ],
      ['new.js', (files) => files.push({ ...files[0]!, path: join(folder, 'dist/new.js') })],
    ]
    for (const [path, edit] of edits) {
      const behind = [atEnd(({ outputFiles }) => void edit(outputFiles!))]
      const { text, id } = await refusalOf(build(folder, { esbuild, write: false, behind }))
      assert.match(text, `ERR_SIGNEDIMP_LATE_WRITE ${path}: `)
      assert.is(id, 'ERR_SIGNEDIMP_LATE_WRITE')
    }
  })

  test(`${esbuild}: a build that another plugin fails is not signed, and says why`, async () => {
    const folder = await createApp()
    for (const where of ['plugins', 'behind'] as const) {
      const fail = atEnd(() => {
        throw new Error('planned failure')
      })
      const { text } = await refusalOf(build(folder, { esbuild, [where]: [fail] }))
      assert.is(text, 'planned failure')
      assert.equal(manifestsIn(join(folder, 'dist')), [])
    }
  })
}

test('refused: a page that a plugin makes too late, and one that starts modules as classic scripts', async () => {
  const folder = await createApp()
  const late = await refusalOf(build(folder, { behind: [html(['src/main.js'])] }))
  assert.match(
    late.text,
    /^ERR_SIGNEDIMP_NOT_COVERED [^]* {2}index\.html: written beside the bundle/,
  )
  await empty(join(folder, 'dist'))
  // Its own default is a classic script, which would be another text than the one that it names.
  const classic = await refusalOf(build(folder, { plugins: [html(['src/main.js'], 'defer')] }))
  assert.match(classic.text, /\n {2}main\.js: a module of this build in a tag for classic scripts/)
})

test('refused: code that a plugin before ours writes, and a page with a name that is taken', async () => {
  const folder = await createApp()
  const error = await refusalOf(build(folder, { plugins: [writer('sw.js', '1')] }))
  assert.match(error.text, /^ERR_SIGNEDIMP_NOT_COVERED [^]*\n {2}sw\.js: /)
  // A copy of the page's source, as copying plugins make, is not one more page.
  await empty(join(folder, 'dist'))
  const copy = writer('index.html', appFiles['index.html']!)
  const said: Said = { signed: { html: ['index.html'] }, plugins: [copy] }
  const { dir } = await buildWell({ ...said, folder })
  assert.is(carrierOf(textIn(dir, 'index.html'))!.attributes['data-entry'], 'main.js')
})

test('what stood in the folder before the build is not taken in', async () => {
  const folder = await createApp()
  await writeFiles(folder, { 'dist/index.html': module('main.js') })
  const { text } = await refusalOf(build(folder))
  assert.match(
    text,
    /^ERR_SIGNEDIMP_FILES index\.html: stood in the output folder before this build/,
  )
  await empty(join(folder, 'dist'))
  await writeFiles(folder, { 'dist/index.html': module('main.js') })
  const touch = atEnd(() => appendFile(join(folder, 'dist/index.html'), '\n'))
  const { bootstraps } = await buildWell({ folder, plugins: [touch] })
  assert.equal(bootstraps, [])
})

test.run()
