import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { signedImp } from 'signedimp'
import { generateKey } from '../../src/keys/generate.ts'
import { buildFixture, writeFiles } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import { check, codeOf, filesIn, manifestsIn, outcomeOf, pageManifestsIn, vites } from './built.ts'
import { compressor } from './compressor.ts'

// Plugins that write compressed copies beside the files of an output.

const key = await generateKey('ed25519')
const files = {
  'index.html': '<!doctype html><script type="module" src="/src/main.js"></script>',
  'src/main.js': 'globalThis.load = () => import("./lazy.js")',
  'src/lazy.js': 'export default "one"',
}

/** Asserts that all files have their copies, and the manifest, which comes last, none. */
async function checkCopies(dir: string) {
  const { main } = await check(dir, key)
  const originals = filesIn(dir).filter((path) => !/\.(br|gz)$/.test(path))
  for (const path of originals.filter((path) => path !== 'signedimp-manifest.txt')) {
    const bytes = readFileSync(join(dir, path))
    assert.equal(brotliDecompressSync(readFileSync(join(dir, `${path}.br`))), bytes)
    assert.equal(gunzipSync(readFileSync(join(dir, `${path}.gz`))), bytes)
  }
  assert.ok(main.files.has('index.html.br') && main.files.has('index.html.gz'))
  assert.not.ok(existsSync(join(dir, 'signedimp-manifest.txt.br')))
  assert.is(pageManifestsIn(dir).length, 1)
}

for (const vite of vites)
  for (const hook of ['writeBundle', 'closeBundle'] as const)
    test(`${vite}: copies that are made in ${hook} are listed`, async () => {
      const plugins = [signedImp(key), compressor(hook)]
      await checkCopies(await buildFixture(files, { vite, plugins }))
    })

type RollupStart = typeof import('rollup').rollup

const html = {
  name: 'html',
  generateBundle(this: { emitFile(file: object): string }) {
    const source =
      '<!doctype html><meta charset="utf-8"><script src="main.js" type="module"></script>'
    this.emitFile({ type: 'asset', fileName: 'index.html', source })
  },
}

async function build(bundler: 'rollup' | 'rolldown', dir: string, plugin: object): Promise<string> {
  const folder = scratchFolder()
  await writeFiles(folder, files)
  const { [bundler]: start } = (await import(bundler)) as Record<string, RollupStart>
  const bundle = await start!({
    input: join(folder, 'src/main.js'),
    plugins: [html, plugin, signedImp(key, { name: 'fixture' })] as never,
    onLog() {},
  })
  try {
    await bundle.write({ dir, format: 'es' })
  } finally {
    await bundle.close()
  }
  return dir
}

for (const bundler of ['rollup', 'rolldown'] as const) {
  for (const hook of ['writeBundle', 'closeBundle'] as const)
    test(`${bundler}: copies that are made in ${hook} are listed`, async () => {
      await checkCopies(await build(bundler, join(scratchFolder(), 'dist'), compressor(hook)))
    })

  test(`${bundler}: refused: copies that are made in a generateBundle before ours`, async () => {
    const dir = join(scratchFolder(), 'dist')
    const error = await outcomeOf(build(bundler, dir, compressor('generateBundle')))
    assert.is(codeOf(error), 'ERR_SIGNEDIMP_OUTPUT')
    assert.match(error.message, 'index.html.br')
    assert.equal(manifestsIn(dir), [])
    assert.not.ok(filesIn(dir).some((path) => path.startsWith('signedimp-manifest')))
  })
}

test.run()
