import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { guardedPattern } from '../../src/emit/guarded.ts'
import { isGuard } from '../../src/manifest/path.ts'
import { throwsCode } from '../support/throws.ts'
import { chunk, emit, entry, type Bundled, type EmitOptions, type EmittedFiles } from './emitted.ts'

// Files that a page may fetch only as they are signed.

const html = '<!doctype html><script type="module" src="/assets/index.js"></script>'
const wasm = { 'assets/a-1.wasm': new Uint8Array([0, 97, 115, 109]), 'data.json': '{}' }
const app: Bundled = {
  'index.html': html,
  'assets/index.js': entry('import("./lazy.js")'),
  'assets/lazy.js': chunk('fetch("/assets/a-1.wasm")'),
}

const guardsOf = ({ files }: EmittedFiles): string[] => [...files.keys()].filter(isGuard)

const refused = async (more: Bundled, options: EmitOptions = {}) =>
  (await throwsCode(() => emit({ ...app, ...wasm, ...more }, options), 'ERR_SIGNEDIMP_NOT_COVERED'))
    .message

const patterns: [options: Parameters<typeof guardedPattern>[0], yes: string[], no: string[]][] = [
  [{}, ['a.wasm', 'a/b.WASM', 'a\u00e9/b c.wasm'], ['a.json', 'a.wasm.map', 'wasm']],
  [{ resources: true }, ['a.wasm', 'a.json', 'a/b'], []],
  [{ resources: [] }, ['a.wasm'], ['a.json']],
  [
    { resources: ['data/*.json', 'a+(b).bin'] },
    ['data/a.json', 'data/.json', 'a+(b).bin', 'x/y.wasm'],
    ['data/a/b.json', 'x/data/a.json', 'data/a.json5', 'aab.bin'],
  ],
  [
    { resources: true, unverified: ['vendor/*.wasm', 'a.json'] },
    ['a.wasm', 'vendor/x/a.wasm', 'a.json5'],
    ['vendor/a.wasm', 'a.json'],
  ],
]

for (const [options, yes, no] of patterns)
  test(`what ${JSON.stringify(options)} guards`, () => {
    const pattern = guardedPattern(options)
    for (const path of yes) assert.ok(pattern.test(path), path)
    for (const path of no) assert.not.ok(pattern.test(path), path)
  })

test('a build without such files has no file more', async () => {
  assert.equal(guardsOf(await emit({ ...app, 'data.json': '{}' })), [])
  assert.is(guardsOf(await emit({ ...app, 'data.json': '{}' }, { resources: ['d*'] })).length, 1)
})

test('WebAssembly needs no name, and its page starts what guards it', async () => {
  const emitted = await emit({ ...app, ...wasm })
  const [guard] = guardsOf(emitted)
  assert.ok(emitted.manifest.files.has(guard!) && emitted.manifest.files.has('assets/a-1.wasm'))
  const [link] = new RegExp(`<link[^>]*${guard}[^>]*>`).exec(emitted.text('index.html'))!
  assert.match(link, 'integrity="sha256-')
})

test('other options make another file', async () => {
  const guards = await Promise.all(
    [{}, { resources: true }, { unverified: ['x.wasm'] }].map(async (options) =>
      guardsOf(await emit({ ...app, ...wasm }, options)),
    ),
  )
  assert.is(new Set(guards.flat()).size, 3)
})

const entries: Bundled = {
  'one.js': entry('import("./lazy.js")'),
  'two.js': entry('2'),
  'lazy.js': chunk('fetch("/assets/a-1.wasm")'),
}

test('an entry lists what its modules name, and what guards it', async () => {
  const { manifests } = await emit({ ...entries, ...wasm }, { resources: ['data.json'] })
  const lists = [...manifests.values()].map(({ files }) => [...files.keys()])
  const [with_, without] = [true, false].map((is) =>
    lists.filter((list) => list.some(isGuard) === is),
  )
  assert.equal([with_!.length, without!.length], [1, 1])
  assert.ok(with_![0]!.includes('assets/a-1.wasm'))
  assert.not.ok(with_![0]!.includes('data.json') || without![0]!.includes('assets/a-1.wasm'))
})

test('refused: WebAssembly that no module of an entry names', async () => {
  const message = await throwsCode(
    () => emit({ ...entries, ...wasm, 'lazy.js': chunk('fetch("/assets/" + name)') }),
    'ERR_SIGNEDIMP_NOT_COVERED',
  )
  assert.match(message.message, 'assets/a-1.wasm: WebAssembly that no page or entry would check')
})

test('refused: WebAssembly that a script names which runs before anything is checked', async () => {
  const inline = html.replace('<script', '<script>fetch("/assets/a-1.wasm")</script><script')
  const reason = 'assets/a-1.wasm: a classic script of a page names it'
  assert.match(await refused({ 'index.html': inline }), reason)
  const linked = html.replace('<script', '<script src="/old.js"></script><script')
  const old = { 'index.html': linked, 'old.js': 'fetch("a-1.wasm")' }
  assert.match(await refused(old), reason)
  const { files } = await emit({ ...app, ...wasm, ...old }, { unverified: ['assets/a-1.wasm'] })
  assert.ok(files.size > 0)
  assert.match(
    await refused(
      { 'index.html': inline.replace('assets/a-1.wasm', 'data.json') },
      { resources: true },
    ),
    'data.json: a classic script',
  )
})

test.run()
