import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { signedImp, type SignedImpOptions } from 'signedimp'
import { signedImp as signedImpForEsbuild } from 'signedimp/esbuild'
import { generateKey } from '../../src/keys/generate.ts'
import { writeFiles } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import { check, codeOf, outcomeOf, textIn } from './built.ts'

// What is named by its content, by what each bundler tells of names; Vite is in vite.test.ts.

const key = await generateKey('ed25519')
const files = {
  'page.html': '<!doctype html><script type="module" src="./main.js"></script>',
  'main.js':
    'import "./style.css"\nimport image from "./image.png"\nimport("./lazy.js").then(console.log, image)',
  'plain.js': 'import("./lazy.js").then(console.log)',
  'lazy.js': 'export default 1',
  'style.css': 'a{color:red}',
  'image.png': 'not an image',
}

/** Files by the start of their names that a build says may be kept. */
function keptIn(dir: string): string[] {
  const told = JSON.parse(textIn(dir, 'signedimp-headers.json')).files
  const kept = Object.keys(told).filter((path) => told[path]['Cache-Control'] !== 'no-cache')
  return kept.map((path) => path.replace(/[-.][\w-]{8}(\w{8})?(?=\.\w+$)/, '')).sort()
}

const own = ['signedimp-blob.js', 'signedimp-manifest.txt', 'signedimp-runtime.js']

/** A plugin that emits a page and assets, one of them under a fixed name. */
const assets = {
  name: 'assets',
  generateBundle(this: { emitFile(file: object): string }) {
    this.emitFile({ type: 'asset', name: 'image.png', source: 'not an image' })
    this.emitFile({ type: 'asset', fileName: 'fixed-original.png', source: 'another' })
    const page = '<!doctype html><script type="module" src="plain.js"></script>'
    this.emitFile({ type: 'asset', fileName: 'index.html', source: page })
  },
}

const names = { entryFileNames: '[name].js', assetFileNames: '[name]-[hash][extname]' }

for (const bundler of ['rollup', 'rolldown'] as const)
  for (const [output, kept] of [
    [names, ['image.png', 'lazy.js', ...own]],
    [{ ...names, chunkFileNames: '[name].js' }, ['image.png', ...own]],
    [{ ...names, assetFileNames: () => '[name]-[hash][extname]' }, ['lazy.js', ...own]],
  ] as [object, string[]][])
    test(`${bundler}: ${JSON.stringify(output)}`, async () => {
      const folder = scratchFolder()
      await writeFiles(folder, files)
      const plugin = signedImp(key, { name: 'fixture', headers: ['json'] })
      const { [bundler]: start } = (await import(bundler)) as Record<
        string,
        typeof import('rollup').rollup
      >
      const bundle = await start!({
        input: join(folder, 'plain.js'),
        plugins: [assets, plugin as never],
        onLog: () => {},
      })
      const dir = join(folder, 'dist')
      await bundle.write({ dir, format: 'es', ...output })
      await bundle.close()
      await check(dir, key)
      assert.equal(keptIn(dir), kept)
    })

interface Esbuild extends SignedImpOptions {
  folder?: string
  names?: object
}

async function esbuild({ folder = scratchFolder(), names = {}, ...options }: Esbuild = {}) {
  await writeFiles(folder, files)
  const { build } = (await import('esbuild')) as typeof import('esbuild')
  await build({
    absWorkingDir: folder,
    entryPoints: ['main.js'],
    bundle: true,
    splitting: true,
    format: 'esm',
    outdir: 'dist',
    sourcemap: true,
    loader: { '.png': 'file' },
    logLevel: 'silent',
    plugins: [signedImpForEsbuild(key, { name: 'fixture', html: ['page.html'], ...options })],
    ...names,
  })
  return join(folder, 'dist')
}

for (const [patterns, kept] of [
  [{}, ['image.png', 'lazy.js', ...own]],
  [{ entryNames: '[name]-[hash]' }, ['image.png', 'lazy.js', 'main.css', 'main.js', ...own]],
  [{ assetNames: '[name]', chunkNames: '[name]' }, own],
] as [object, string[]][])
  test(`esbuild: ${JSON.stringify(patterns)}`, async () => {
    const dir = await esbuild({ names: patterns, headers: ['json'] })
    await check(dir, key)
    assert.equal(keptIn(dir), kept)
  })

test('refused: what somebody else has put into the folder; and not what an earlier build has', async () => {
  const folder = scratchFolder()
  const dir = await esbuild({ folder, headers: ['json'] })
  await esbuild({ folder, headers: ['json'] })
  writeFileSync(join(dir, '_headers'), 'mine')
  const refused = await outcomeOf(esbuild({ folder, headers: ['_headers'] }))
  assert.is(codeOf(refused), 'ERR_SIGNEDIMP_OUTPUT', String(refused))
  assert.is(textIn(dir, '_headers'), 'mine')
})

test.run()
