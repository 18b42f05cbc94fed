import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { signedImp } from 'signedimp'
import { generateKey } from '../../src/keys/generate.ts'
import { carrierOf } from '../emit/emitted.ts'
import { writeFiles } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import { check, codeOf, findUnwrapped, manifestsIn, outcomeOf, textIn } from './built.ts'

// Rollup and Rolldown themselves, where a plugin of the project emits the pages.

const key = await generateKey('ed25519')
const bundlers = ['rollup', 'rolldown'] as const
const files = {
  'src/main.js': 'import { dep } from "./dep.js"\nimport("./lazy.js").then(console.log, dep)',
  'src/dep.js': 'export const dep = import.meta.url',
  'src/lazy.js': 'import { dep } from "./dep.js"\nexport default dep',
}
const page =
  '<!doctype html><html><head><meta charset="utf-8"></head><body><script src="main.js" type="module"></script></body></html>'

/** A plugin that makes a page of the entry, as @rollup/plugin-html does. */
const html = {
  name: 'html',
  generateBundle(this: { emitFile(file: object): string }) {
    this.emitFile({ type: 'asset', fileName: 'index.html', source: page })
  },
}

type RollupStart = typeof import('rollup').rollup

interface Options {
  format?: string
  plugins?: object[]
  unverified?: string[]
}

/** How a bundler is told to make one file of all. */
const whole = { rollup: { inlineDynamicImports: true }, rolldown: { codeSplitting: false } }

async function build(bundler: (typeof bundlers)[number], options: Options = {}): Promise<string> {
  const { format = 'es', plugins = [html], unverified = [] } = options
  const folder = scratchFolder()
  await writeFiles(folder, files)
  const own = signedImp(key, { name: 'fixture', unverified })
  const { [bundler]: start } = (await import(bundler)) as Record<string, RollupStart>
  // The plugin is first: it must still see what the others emit.
  const bundle = await start!({
    input: join(folder, 'src/main.js'),
    plugins: [own as never, ...(plugins as never[])],
    onLog() {},
  })
  const dir = join(folder, 'dist')
  const single = format === 'iife' || format === 'umd'
  try {
    await bundle.write({ dir, format, name: 'app', ...(single && whole[bundler]) } as never)
  } finally {
    await bundle.close()
  }
  return dir
}

for (const bundler of bundlers) {
  test(`${bundler}: a page that a plugin emits starts through the bootstrap`, async () => {
    const dir = await build(bundler)
    const { main, pages } = await check(dir, key)
    assert.ok(main.files.has('index.html') && main.files.has('main.js'))
    assert.is(pages.size, 1)
    assert.is(carrierOf(textIn(dir, 'index.html'))!.attributes['data-entry'], 'main.js')
    assert.equal(await findUnwrapped(dir), [])
  })

  test(`${bundler}: refused: an entry that no page starts, unless it is named`, async () => {
    const error = await outcomeOf(build(bundler, { plugins: [] }))
    assert.is(codeOf(error), 'ERR_SIGNEDIMP_NOT_COVERED')
    assert.match(error.message, 'main.js')
    const dir = await build(bundler, { plugins: [], unverified: ['main.js'] })
    assert.ok((await check(dir, key)).main.files.has('main.js'))
  })

  for (const format of ['cjs', 'iife', 'umd', 'system'])
    if (bundler === 'rollup' || format !== 'system')
      test(`${bundler}: refused: format "${format}", which no import map checks`, async () => {
        const error = await outcomeOf(build(bundler, { format }))
        assert.is(codeOf(error), 'ERR_SIGNEDIMP_NOT_COVERED')
        assert.match(error.message, 'output.format')
      })

  test(`${bundler}: signed at the end of a build, not of one that fails while it writes`, async () => {
    let dir = ''
    const fail = {
      name: 'fail',
      writeBundle: (output: { dir: string }) => {
        dir = output.dir
        throw new Error('planned failure')
      },
    }
    const error = await outcomeOf(build(bundler, { plugins: [html, fail] }))
    assert.match(error.message, 'planned failure')
    assert.equal(manifestsIn(dir), [])
  })
}

test.run()
