import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { acceptUncovered, matches } from '../../src/emit/coverage.ts'
import { throwsCode } from '../support/throws.ts'
import { chunk, emit, entry, type Bundled, type EmitOptions } from './emitted.ts'

const html = '<!doctype html><script type="module" src="/assets/index.js"></script>'
const app: Bundled = {
  'assets/index.js': entry('import("./lazy.js")'),
  'assets/lazy.js': chunk('1'),
}

const build = (more: Bundled, options: EmitOptions = {}) =>
  emit({ ...app, 'index.html': html, ...more }, options)

const refused = async (more: Bundled, options: EmitOptions = {}) =>
  (await throwsCode(() => build(more, options), 'ERR_SIGNEDIMP_NOT_COVERED')).message

test('a plain app is covered', async () => {
  const { manifest } = await build({
    'assets/a.css': '',
    'a.svg': '',
    'font.woff2': '',
    'a.json': '',
  })
  assert.ok(manifest.files.has('assets/lazy.js') && manifest.files.has('a.json'))
})

test('blocks of data in a copied page are no code, scripts in its frames are', async () => {
  const copied = (html: string) => ({ publicFiles: { '404.html': html } })
  const data = '<script type="application/ld+json">{}</script>'
  const { files } = await build({}, copied(`${data}<iframe srcdoc="&lt;p&gt;"></iframe>`))
  assert.ok(files.size > 0)
  for (const code of ['<script>1</script>', '<iframe srcdoc="<script>1</script>"></iframe>'])
    assert.match(await refused({}, copied(data + code)), '404.html: ')
})

// Code that no page of the build starts through the bootstrap.
const loose: Record<string, [more: Bundled, name: string]> = {
  'a worker': [{ 'assets/worker-1.js': 'onmessage = 1' }, 'assets/worker-1.js'],
  'a worker in CommonJS': [{ 'assets/worker-1.cjs': '' }, 'assets/worker-1.cjs'],
  'a module that is an asset': [{ 'assets/worklet.mjs': '' }, 'assets/worklet.mjs'],
  'code in capitals': [{ 'WORKER.JS': '' }, 'WORKER.JS'],
  'a service worker': [{ 'sw.js': '' }, 'sw.js'],
  'a worklet that is left as TypeScript': [{ 'assets/w.ts': 'let a: 1' }, 'assets/w.ts'],
  'a document of XML with a script': [
    { 'about.xhtml': '<html><script>1</script></html>' },
    'about.xhtml',
  ],
  'a template of a page': [
    { 'about.php': '<?php ?><script src="/assets/index.js"></script>' },
    'about.php',
  ],
  'an image with a script': [{ 'a.svg': '<svg><script>1</script></svg>' }, 'a.svg'],
  'a System.register chunk': [
    { 'assets/index-legacy.js': entry('System.register([],function(){return{}})') },
    'assets/index-legacy.js',
  ],
  'a System.register chunk that is lazy': [
    { 'assets/a-legacy.js': chunk('System.register([],function(){return{}})') },
    'assets/a-legacy.js',
  ],
  'a System.register chunk behind a comment': [
    { 'a-legacy.js': chunk("/*! Don't */\nSystem.register([],function(){})") },
    'a-legacy.js',
  ],
  'a System.register chunk behind a polyfill': [
    { 'a-legacy.js': chunk('!function(){"use strict"}();System.register([],function(){})') },
    'a-legacy.js',
  ],
}

for (const [what, [more, name]] of Object.entries(loose)) {
  test(`refused: ${what}, naming the file`, async () => {
    assert.match(await refused(more), `  ${name}: `)
  })

  test(`accepted when named: ${what}`, async () => {
    const { manifest } = await build(more, { unverified: [name] })
    assert.ok(manifest.files.has(name))
  })
}

for (const format of ['cjs', 'commonjs', 'iife', 'umd', 'amd', 'system'])
  test(`refused: chunks in the format ${format}, which no import map checks`, async () => {
    const message = await refused({}, { format })
    assert.match(message, 'assets/lazy.js')
  })

for (const format of ['es', 'esm', 'module'])
  test(`modules under the name ${format}`, async () => {
    assert.ok(
      (await emit({ ...app, 'index.html': html }, { format })).manifest.files.has('assets/lazy.js'),
    )
  })

// Files of the public folder.

test('refused: a script of the public folder, unless a page checks it', async () => {
  assert.match(await refused({}, { publicFiles: { 'old/a.js': '' } }), '  old/a.js: ')
  await build(
    { 'index.html': html + '<script src="/old/a.js"></script>' },
    { publicFiles: { 'old/a.js': 'var a' } },
  )
})

for (const page of [
  '<script>var a</script>',
  '<script type="module" src="/assets/index.js"></script>',
  '<svg><script>a()</script></svg>',
  '<template><script></script></template>',
])
  test(`refused: a page of the public folder with a script, which cannot be rewritten: ${page}`, async () => {
    assert.match(await refused({}, { publicFiles: { 'old/a.html': page } }), '  old/a.html: ')
  })

test('a page of the public folder without scripts is listed', async () => {
  await build({}, { publicFiles: { '404.html': '<p>not here' } })
})

for (const [charset, bytes] of Object.entries({
  'Latin-1': Buffer.from('<p>caf\xe9', 'latin1'),
  'UTF-16': Buffer.from('\ufeff<svg><script>a()</script></svg>', 'utf16le'),
  'UTF-16 without a mark': Buffer.from('<svg><script>a()</script></svg>', 'utf16le'),
})) {
  for (const path of ['old/a.html', 'old/a.svg'])
    test(`refused: a document of the public folder in ${charset}, in which nobody sees scripts: ${path}`, async () => {
      const publicFiles = { [path]: bytes }
      assert.match(
        await refused({}, { publicFiles }),
        `  ${path}: a page that is copied as it is and`,
      )
      await build({}, { publicFiles, unverified: [path], headers: ['json'] })
    })

  test(`refused: an image of the bundle in ${charset}`, async () => {
    assert.match(await refused({ 'a.svg': bytes }), '  a.svg: ')
  })

  test(`refused: a page of the bundle in ${charset}, for it would be written as another text`, async () => {
    const start = Buffer.from(html, charset === 'Latin-1' ? 'latin1' : 'utf16le')
    const page = Buffer.concat([bytes, start])
    const { message } = await throwsCode(
      () => emit({ ...app, 'index.html': page }),
      'ERR_SIGNEDIMP_OUTPUT',
    )
    assert.match(message, 'index.html: is not in UTF-8')
  })
}

test('a file of the bundle hides one of the public folder', async () => {
  const { manifest } = await build(
    { 'a.txt': 'bundle' },
    { publicFiles: { 'a.txt': 'public', 'b.txt': '' } },
  )
  assert.ok(manifest.files.has('b.txt'))
})

// Messages.

test('everything that is not covered stands in one message, with a line to copy', async () => {
  const message = await refused({ 'a.mjs': '', 'b.js': '', 'c.ts': '' })
  for (const name of ['a.mjs', 'b.js', 'c.ts']) assert.match(message, `  ${name}: `)
  const [, names] = /unverified: \[(.*)\]/.exec(message)!
  assert.equal([...names!.matchAll(/'([^']*)'/g)].map(([, name]) => name).sort(), [
    'a.mjs',
    'b.js',
    'c.ts',
  ])
})

test('what is named is not refused, what is not named still is', async () => {
  const message = await refused({ 'a.mjs': '', 'b.js': '' }, { unverified: ['b.js'] })
  assert.match(message, 'a.mjs')
  assert.not.match(message, 'b.js:')
})

test('an accepted file is not changed', async () => {
  const code = 'import("./lazy.js"); import.meta.url; "ü"'
  const { text } = await build({ 'sw.js': code }, { unverified: ['sw.js'] })
  assert.is(text('sw.js'), code)
})

// Patterns.

const patterns: [pattern: string, matching: string[], others: string[]][] = [
  ['sw.js', ['sw.js'], ['a/sw.js', 'sw.jsx', 'asw.js', 'swxjs', 'SW.js', 'sw.js\n']],
  [
    'assets/worker-*.js',
    ['assets/worker-1a2b.js', 'assets/worker-.js'],
    ['assets/worker-1/a.js', 'assets/worker.js', 'x/assets/worker-1.js'],
  ],
  ['a*c*e.js', ['ace.js', 'abcde.js'], ['ac.js', 'a/ce.js']],
  ['a+(b)[c]{d}^$|?.js', ['a+(b)[c]{d}^$|?.js'], ['aab.js', 'a+(b)[c]{d}^$|.js']],
  [
    'https://x.example/a-*.js',
    ['https://x.example/a-1.js'],
    ['https://x.example/a-1/b.js', 'https://xyexample/a-1.js'],
  ],
]

for (const [pattern, matching, others] of patterns)
  test(`the pattern ${pattern}`, () => {
    for (const name of matching) assert.ok(matches(pattern, name), name)
    for (const name of others) assert.not.ok(matches(pattern, name), name)
  })

test('nothing named accepts nothing', async () => {
  assert.equal(acceptUncovered([], ['a.js']), [])
  await throwsCode(
    () => acceptUncovered([{ name: 'a', reason: '' }], []),
    'ERR_SIGNEDIMP_NOT_COVERED',
  )
})

test.run()
