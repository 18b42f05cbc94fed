import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import { signedImp } from 'signedimp'
import { check, filesIn, findUnwrapped, textIn, attackedVites } from '../bundlers/built.ts'
import { attack, attacks } from '../support/attack.ts'
import { atEnd, buildByEsbuild, type EsbuildOptions } from '../support/esbuild.ts'
import { buildFixture } from '../support/fixture.ts'
import { newPublisher } from './signed.ts'

const files = {
  'index.html': '<script type="module" src="/src/main.js"></script>',
  'src/main.js': 'import "./main.css"\nimport("./lazy.js")',
  'src/main.css': 'a{}',
  'src/lazy.js': 'import "./lazy.css"\nexport default import.meta.url',
  'src/lazy.css': 'b{}',
}

/** A plugin that adds and changes files at the last moment that it can. */
const busy = {
  name: 'busy',
  enforce: 'post',
  generateBundle: {
    order: 'post',
    async handler(
      this: unknown,
      _: unknown,
      bundle: Record<string, { code?: string; fileName: string }>,
    ) {
      await new Promise((done) => setTimeout(done, 20))
      for (const file of Object.values(bundle))
        if (file.code !== undefined) file.code += '\nimport.meta.late = 1\n'
      ;(this as { emitFile(file: object): void }).emitFile({
        type: 'asset',
        fileName: 'late.json',
        source: '{"late":true}',
      })
    },
  },
}

const variants = attackedVites.flatMap((vite) =>
  ['first', 'last'].map((place) => `${vite}, we are listed ${place}`),
)

attack(82, 'runtime put into an entry after it was hashed', { variants }, async (variant) => {
  const { privateKey } = await newPublisher()
  const ours = signedImp(privateKey)
  const plugins = variant.endsWith('first') ? [ours, busy] : [busy, ours]
  const dir = await buildFixture(files, { vite: variant.split(',')[0] as never, plugins })
  await check(dir, privateKey)
  assert.equal(await findUnwrapped(dir), [])
  for (const path of filesIn(dir).filter((name) => /^assets\/.*\.js$/.test(name))) {
    assert.match(textIn(dir, path), /_simpmeta\(\)\.late = 1/)
    assert.match(textIn(dir, path), '__signedimp.meta(')
  }
  return 'ok hashes are taken of the bytes that are written'
})

attack(83, 'an empty list, because hooks run in another order', { variants }, async (variant) => {
  const { privateKey } = await newPublisher()
  const ours = signedImp(privateKey)
  const plugins = variant.endsWith('first') ? [ours, busy] : [busy, ours]
  const dir = await buildFixture(files, { vite: variant.split(',')[0] as never, plugins })
  const { pages } = await check(dir, privateKey)
  const [page] = pages.values()
  const expected = filesIn(dir).filter((path) => !/\.(html|txt)$/.test(path))
  assert.ok(expected.includes('late.json') && expected.length >= 6)
  assert.equal([...page!.files.keys()].sort(), expected)
  return 'ok the list has every file that pages can load'
})

attack(84, 'placeholders that are shipped', { variants: attackedVites }, async (variant) => {
  const { privateKey } = await newPublisher()
  const config = { build: { manifest: true, sourcemap: true } }
  for (const inline of [true, false, 'all'] as const) {
    const dir = await buildFixture(files, {
      vite: variant as never,
      plugins: [signedImp(privateKey, { inline })],
      config,
    })
    for (const path of filesIn(dir))
      assert.not.match(
        textIn(dir, path),
        /__SIGNEDIMP_[A-Z]+__|!~\{|~!|__VITE_ASSET__|__VITE_PRELOAD__|__DER__/,
        path,
      )
  }
  return 'ok none is left'
})

/** The same for esbuild: changes all code, and adds a file in memory and one on disk. */
const busyAtEnd = atEnd(async ({ outputFiles }) => {
  await new Promise((done) => setTimeout(done, 20))
  const [first] = outputFiles!
  const dir = first!.path.slice(0, first!.path.lastIndexOf('assets'))
  for (const file of outputFiles!.filter(({ path }) => path.endsWith('.js')))
    file.contents = Buffer.from(`import.meta.late = 1\n${file.text}`)
  const contents = Buffer.from('{"late":true}')
  outputFiles!.push({ ...first!, path: `${dir}late.json`, contents })
  mkdirSync(dir, { recursive: true })
  writeFileSync(`${dir}copied.json`, '{"copied":true}')
})

const formats = { 'write: true': true, 'write: false': false }

attack(
  82,
  'runtime put into an entry of esbuild before it is hashed',
  { variants: Object.keys(formats) },
  async (variant) => {
    const { privateKey } = await newPublisher()
    const write = formats[variant as keyof typeof formats]
    const { dir, result } = await buildByEsbuild(files, {
      key: privateKey,
      before: [busyAtEnd],
      config: { write },
    })
    // What is not written by us is written by whoever takes it.
    for (const { path, contents } of result.outputFiles ?? []) {
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, contents)
    }
    if (!write) rmSync(join(dir, 'copied.json'))
    const { main, pages } = await check(dir, privateKey)
    assert.equal(await findUnwrapped(dir), [])
    for (const path of filesIn(dir).filter((name) => /^assets\/.*\.js$/.test(name)))
      assert.match(textIn(dir, path), /_simpmeta\(\)\.late = 1/)
    assert.ok(main.files.has('late.json') && main.files.has('copied.json') === write)
    // 83: what pages can load is what there is.
    const expected = filesIn(dir).filter((path) => !/\.(html|txt)$/.test(path))
    assert.equal([...[...pages.values()][0]!.files.keys()].sort(), expected)
    return 'ok hashes are taken of the bytes that are written'
  },
)

const printed: Record<string, EsbuildOptions> = {
  readable: {},
  'minified, source maps': { config: { minify: true, sourcemap: true } },
  'source maps inside': { config: { sourcemap: 'inline' } },
  'source maps apart and inside': { config: { sourcemap: 'both', legalComments: 'linked' } },
  'source maps that nothing names': {
    config: { sourcemap: 'external', legalComments: 'external' },
  },
  'a footer of its own': { config: { footer: { js: '/*! own */', css: '/*! own */' } } },
  'not written': { config: { write: false, metafile: true, sourcemap: true } },
  'without pages': { signed: { html: [] }, config: { entryNames: '[dir]/[name]-[hash]' } },
  linked: { signed: { inline: false } },
  'linked with its manifest': { signed: { inline: 'all' } },
}

attack(
  84,
  'the mark of esbuild chunks that is shipped',
  { variants: Object.keys(printed) },
  async (variant) => {
    const { privateKey } = await newPublisher()
    const { config, ...rest } = printed[variant]!
    const legal = { 'src/lazy.js': `/*! @license lazy */\n${files['src/lazy.js']}` }
    const { dir, result } = await buildByEsbuild(
      { ...files, ...legal },
      { key: privateKey, ...rest, config: { metafile: true, ...config! } },
    )
    const texts = result.outputFiles
      ? result.outputFiles.map(({ contents }) => Buffer.from(contents).toString())
      : filesIn(dir).map((path) => textIn(dir, path))
    // Maps are inside as base64.
    const inside = texts.flatMap((text) =>
      [...text.matchAll(/;base64,([\w+/=]+)/g)].map(([, map]) => atob(map!)),
    )
    assert.ok(texts.length >= 6)
    for (const text of [...texts, ...inside, JSON.stringify(result.metafile)])
      assert.not.match(text, /signedimp[:-](not-signed|rewriter)|__SIGNEDIMP_[A-Z]+__/)
    return 'ok none is left'
  },
)

attacks.run()
