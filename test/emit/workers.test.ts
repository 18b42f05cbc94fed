import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { throwsCode } from '../support/throws.ts'
import { chunk, emit, entry, type Bundled, type EmitOptions, type EmittedFiles } from './emitted.ts'

// Which workers a build finds, and what the guard in its pages is told of them.

const html = '<!doctype html><script type="module" src="/assets/index.js"></script>'
const build = (code: string, more: Bundled = {}, options: EmitOptions = {}) =>
  emit({ 'index.html': html, 'assets/index.js': entry(code), ...more }, options)

interface Plan {
  reach: Record<string, string[] | null>
  named: Record<string, string[]>
  unverified: string[]
  first: boolean
}

function planOf({ files, text }: EmittedFiles): Plan | undefined {
  const path = [...files.keys()].find((name) => /^signedimp-workers-\w{16}\.js$/.test(name))
  if (path === undefined) return undefined
  const [, json] = /\)\((\{"reach".*\})\)\s*$/.exec(text(path))!
  return JSON.parse(json!)
}

const worker: Bundled = { 'assets/w.js': 'onmessage = 1' }

const spellings: Record<string, string> = {
  'by import.meta.url': 'new Worker(new URL("./w.js", import.meta.url))',
  'as Vite 8 spells it':
    'new Worker(new URL(\n/* @vite-ignore */\n"/assets/w.js",\n"" + import.meta.url\n), { type: "module" })',
  'as Vite 8 spells it, minified':
    'new Worker(new URL(`/assets/w.js`,``+import.meta.url),{type:`module`})',
  'by an address': `new Worker('/assets/w.js', { name: 'w' })`,
  'with a query': 'new Worker("/assets/w.js?size=1#a")',
  'of the global object': 'new self.Worker("/assets/w.js")',
  'by a text that names it': 'const w = "/assets/" + "w.js"; new Worker(w)',
}

for (const [title, code] of Object.entries(spellings))
  test(`a worker is found: ${title}`, async () => {
    const emitted = await build(code, worker)
    assert.equal(planOf(emitted)!.named, { 'assets/index.js': ['assets/w.js'] })
    assert.equal(planOf(emitted)!.reach, { 'assets/w.js': ['assets/w.js'] })
    assert.ok(emitted.manifest.files.has('assets/w.js'))
  })

const unseen: Record<string, string> = {
  'no code names it': '1',
  'as a shared worker': 'new SharedWorker("/assets/w.js")',
  'by a computed address': 'const w = "w"; new Worker("/assets/" + w + ".js")',
  'by an address and more': 'new Worker(`/assets/${name}.js`)',
}

for (const [title, code] of Object.entries(unseen))
  test(`no worker that is checked: ${title}`, async () => {
    const { message } = await throwsCode(() => build(code, worker), 'ERR_SIGNEDIMP_NOT_COVERED')
    assert.match(message, '\n  assets/w.js: code that is no module of this build and no worker')
  })

test('a module that was copied is written anew where code names it', async () => {
  const { text, manifest } = await build('new Worker(at)', {
    'assets/b.js': chunk('globalThis.at = "/assets/w.js"'),
    'assets/w.js': 'onmessage=()=>import(import.meta.url);export{}',
  })
  assert.match(text('assets/w.js'), '__signedimp.import("assets/w.js"')
  assert.ok(manifest.files.has('assets/w.js'))
})

test('a script that was copied needs a name beside the word Worker', async () => {
  const more = { 'assets/b.js': chunk('globalThis.at = "/assets/w.js"'), ...worker }
  await throwsCode(() => build('new Worker(at)', more), 'ERR_SIGNEDIMP_NOT_COVERED')
})

test('an entry that is a worker is a module like others, and no bootstrap', async () => {
  const emitted = await build('new Worker(new URL("./w.js", import.meta.url))', {
    'assets/w.js': entry('import"./dep.js";import("./lazy.js")'),
    'assets/dep.js': chunk('1'),
    'assets/lazy.js': chunk('new Worker(new URL("./n.js",import.meta.url))'),
    'assets/n.js': entry('1'),
  })
  const { reach, named } = planOf(emitted)!
  assert.equal(reach['assets/w.js'], [
    'assets/w.js',
    'assets/dep.js',
    'assets/lazy.js',
    'assets/n.js',
  ])
  assert.equal(named['assets/lazy.js'], ['assets/n.js'])
  assert.match(emitted.text('assets/w.js'), '__signedimp.import("assets/w.js"')
  assert.equal([...emitted.manifests.keys()], [emitted.manifestPath])
})

test('what a worker may load is not narrowed where only its run tells', async () => {
  const emitted = await build('new Worker(new URL("./w.js", import.meta.url))', {
    'assets/w.js': entry('import(self.name)'),
  })
  assert.equal(planOf(emitted)!.reach, { 'assets/w.js': null })
})

test('scripts that a worker names are found, those that import something are not', async () => {
  const code = 'new Worker("/w.js")'
  const scripts = {
    'w.js': 'importScripts("lib.js", \'more/lib.js\')',
    'lib.js': '1',
    'more/lib.js': '2',
  }
  const emitted = await build(code, {}, { publicFiles: scripts })
  assert.equal(planOf(emitted)!.reach['w.js'], ['w.js', 'lib.js', 'more/lib.js'])
  const importing = { ...scripts, 'lib.js': 'import("/evil.js")' }
  await throwsCode(() => build(code, {}, { publicFiles: importing }), 'ERR_SIGNEDIMP_NOT_COVERED')
})

test('without the word there is no guard; with it there is one, whatever it is about', async () => {
  assert.is(planOf(await build('1')), undefined)
  assert.equal(planOf(await build('typeof Worker'))!.named, {})
})

test('what is accepted by name stays as it is', async () => {
  const code = 'new Worker("/assets/w.js");new Worker("/else/w.js")'
  const unverified = ['assets/w.js', '/else/w.js']
  const emitted = await build(code, { 'assets/w.js': 'import("./a.js")' }, { unverified })
  assert.is(emitted.text('assets/w.js'), 'import("./a.js")')
  assert.equal(planOf(emitted)!.unverified, unverified)
  assert.equal(planOf(emitted)!.named, {})
})

test('a worker cannot import what only a map of a page gives a meaning', async () => {
  const { message } = await throwsCode(
    () =>
      build('new Worker(new URL("./w.js", import.meta.url))', {
        'assets/w.js': entry('import"lib"'),
      }),
    'ERR_SIGNEDIMP_OUTPUT',
  )
  assert.match(message, 'assets/w.js: imports "lib"')
})

test('policies of the build let workers come from blobs only, where all are checked', async () => {
  const policyOf = async (code: string, unverified: string[] = []) =>
    (await build(code, worker, { headers: ['json'], unverified })).text('signedimp-headers.json')
  assert.match(await policyOf('new Worker("/assets/w.js")'), '; worker-src blob:')
  assert.not.match(await policyOf('1', ['assets/w.js']), 'worker-src')
})

test.run()
