import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { signedImp } from 'signedimp'
import { generateKey } from '../../src/keys/generate.ts'
import { carrierOf } from '../emit/emitted.ts'
import { writeFiles } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import { check, codeOf, filesIn, findUnwrapped, manifestsIn, outcomeOf, textIn } from './built.ts'

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
  /** Options of the plugin. */
  signed?: object
  /** Where the app is, if it is to be built in one place several times. */
  folder?: string
  /** Files of the app that are other ones. */
  changes?: Record<string, string>
  /** Pattern of the chunks' names. */
  names?: string
  /** Takes what the bundler says. */
  logs?: string[]
}

/** How a bundler is told to make one file of all. */
const whole = { rollup: { inlineDynamicImports: true }, rolldown: { codeSplitting: false } }

async function build(bundler: (typeof bundlers)[number], options: Options = {}): Promise<string> {
  const { format = 'es', plugins = [html], unverified = [], names = '[name].js' } = options
  const { folder = scratchFolder() } = options
  await rm(join(folder, 'dist'), { recursive: true, force: true })
  await writeFiles(folder, { ...files, ...options.changes })
  const own = signedImp(key, { name: 'fixture', unverified, ...options.signed })
  const { [bundler]: start } = (await import(bundler)) as Record<string, RollupStart>
  // The plugin is first: it must still see what the others emit.
  const bundle = await start!({
    input: join(folder, 'src/main.js'),
    plugins: [own as never, ...(plugins as never[])],
    onLog: (_, { message }) => void options.logs?.push(message),
  })
  const dir = join(folder, 'dist')
  const output = { dir, format, name: 'app', entryFileNames: names, chunkFileNames: names }
  const single = format === 'iife' || format === 'umd'
  try {
    await bundle.write({ ...output, ...(single && whole[bundler]) } as never)
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

  test(`${bundler}: an entry that no page starts starts itself, unless it is named`, async () => {
    const dir = await build(bundler, { plugins: [] })
    const { main, pages } = await check(dir, key)
    assert.ok(main.files.has('main.js') && main.files.has('mai_.js'))
    assert.equal(
      [...pages.values()].map(({ files }) => files.has('mai_.js')),
      [true],
    )
    assert.equal(await findUnwrapped(dir, ['main.js']), [])
    const named = await build(bundler, { plugins: [], unverified: ['main.js'] })
    assert.not.ok((await check(named, key)).main.files.has('mai_.js'))
  })

  test(`${bundler}: an entry's file has another name for another release, and no name has two files`, async () => {
    const folder = scratchFolder()
    const namesOf = async (signed: object, changes: Record<string, string> = {}) => {
      const dir = await build(bundler, {
        plugins: [],
        folder,
        signed,
        changes,
        names: '[name]-[hash].js',
      })
      const scripts = filesIn(dir).filter((path) => /^(main|lazy|dep)-/.test(path))
      return new Map(scripts.map((path) => [path, textIn(dir, path)]))
    }
    const first = await namesOf({})
    assert.equal(await namesOf({}), first)
    for (const signed of [{ build: 7 }, { name: 'other' }, { expires: '2099-01-01' }]) {
      const other = await namesOf(signed)
      for (const [path, text] of other) assert.is(text, first.get(path) ?? text, path)
      assert.not.ok([...other.keys()].some((path) => path.startsWith('main-') && first.has(path)))
    }
    const changed = await namesOf({}, { 'src/lazy.js': 'export default 2' })
    for (const [path, text] of changed) assert.is(text, first.get(path) ?? text, path)
  })

  test(`${bundler}: warned of: an export that is assigned to later`, async () => {
    const main = `export let live = 0
export const fixed = 1
export const inc = () => { live++ }
export function other(fixed) { fixed = 2 }
import('./lazy.js')
`
    const logs: string[] = []
    await build(bundler, { plugins: [], changes: { 'src/main.js': main }, logs })
    assert.equal(
      logs
        .filter((text) => text.includes('assigns to it later'))
        .map((text) => /exports "(\w+)"/.exec(text)![1]),
      ['live'],
    )
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

for (const isOvertaken of [true, false])
  test(`a watched build whose folder is emptied while it is closed ${isOvertaken ? 'leaves the rest to the next one' : 'fails'}`, async () => {
    const dir = scratchFolder()
    const plugin = signedImp(key, { name: 'shop' })
    const bundle: Record<string, { type: 'asset'; fileName: string; source: string }> = {
      'a.txt': { type: 'asset', fileName: 'a.txt', source: 'a' },
    }
    const emitFile = (file: { fileName: string; source: string }) =>
      void (bundle[file.fileName] = { type: 'asset', ...file })
    const context = { meta: { watchMode: true }, emitFile, warn() {}, info() {} } as never
    await plugin.buildStart.call(context)
    await plugin.buildEnd.call(context)
    await plugin.renderStart.handler.call(context, { dir })
    await plugin.generateBundle.handler.call(context, { dir, format: 'es' }, bundle as never, true)
    plugin.writeBundle.handler.call(context, { dir })
    const closing = Promise.resolve(plugin.closeBundle.handler.call(context)).then(
      () => 'nothing is signed',
      ({ message }: Error) => message,
    )
    if (isOvertaken) await plugin.buildStart.call(context)
    const outcome = isOvertaken ? 'nothing is signed' : 'ERR_SIGNEDIMP_LATE_WRITE '
    assert.ok((await closing).startsWith(outcome), await closing)
    assert.equal(manifestsIn(dir), [])
  })

test.run()
