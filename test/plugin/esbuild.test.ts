import { win32 } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LocatedError, locate, toMessage } from '../../src/plugin/esbuild/messages.ts'
import { keyOf, pathOf, prefixOf } from '../../src/plugin/esbuild/metafile.ts'
import { renameByRelease } from '../../src/plugin/esbuild/names.ts'
import { pagesOf } from '../../src/plugin/esbuild/pages.ts'
import { endFilter, keyFilter } from '../../src/plugin/guard.ts'
import { SignedImpError } from '../../src/errors.ts'

// What the adapter for esbuild makes of names. test/bundlers/esbuild*.test.ts has what becomes of builds.

const patterns: [entryNames: string, path: string, kept: [before: string, after: string]][] = [
  ['[dir]/[name]-[hash]', 'main-ABCDEFG2.js', ['main-', '.js']],
  ['[dir]/[name]-[hash]', 'a/b/main-ABCDEFG2.js', ['a/b/main-', '.js']],
  ['[dir]/[name]-[hash]', 'main-AAAAAAAA-BBBBBBBB.min.mjs', ['main-AAAAAAAA-', '.min.mjs']],
  ['[hash]/[name]', 'AAAAAAAA/BBBBBBBB.js', ['', '/BBBBBBBB.js']],
  ['/./x.[name][hash]y', 'x.mainAAAAAAAAy.js', ['x.main', 'y.js']],
  ['a\\[name]-[hash]', 'a/main-AAAAAAAA.js', ['a/main-', '.js']],
  ['[hash]/[name]-[hash]', 'AAAAAAAA/main-AAAAAAAA.js', ['AAAAAAAA/main-', '.js']],
  ['[ext]/[name]-[hash]', 'min.mjs/main-AAAAAAAA.min.mjs', ['min.mjs/main-', '.min.mjs']],
  ['(+)$/[name]-[hash]', '(+)$/main-AAAAAAAA.js', ['(+)$/main-', '.js']],
]

for (const [entryNames, path, [before, after]] of patterns)
  test(`another release has another name by ${entryNames}: ${path}`, () => {
    const [one, other] = ['a', 'b'].map((release) => renameByRelease(path, entryNames, release))
    for (const name of [one!, other!]) {
      assert.ok(name.startsWith(before) && name.endsWith(after), name)
      assert.match(name.slice(before.length, name.length - after.length), /^[A-Z2-7]{8}$/)
      assert.is.not(name, path)
    }
    assert.is.not(one, other)
    assert.is(renameByRelease(path, entryNames, 'a'), one)
  })

test('without a hash in its pattern, a name stays', () => {
  assert.is(renameByRelease('main-AAAAAAAA.js', '[dir]/[name]', 'a'), 'main-AAAAAAAA.js')
})

test('files of Windows are named with slashes, from the working directory and from the output folder', () => {
  const place = { root: 'C:\\app', dir: 'C:\\app\\dist' }
  const name = (path: string, of: typeof place) => keyOf(path, { prefix: prefixOf(of, win32) })
  assert.is(name('js/a.js', place), 'dist/js/a.js')
  assert.is(pathOf('dist/js/a.js', place, win32), 'js/a.js')
  const outside = { root: 'C:\\app', dir: 'C:\\out' }
  assert.is(name('a.js', outside), '../out/a.js')
  assert.is(name('a.js', { root: 'C:\\app', dir: 'C:\\app' }), 'a.js')
  assert.is(pathOf('../out/a.js', outside, win32), 'a.js')
})

test('pages keep the folders that they do not have in common', () => {
  const paths = (files: string[]) => [...pagesOf(files).keys()]
  assert.equal(paths(['/app/public/index.html']), ['index.html'])
  assert.equal(paths(['/app/public/index.html', '/app/public/a/b.html']), [
    'index.html',
    'a/b.html',
  ])
  assert.equal(paths(['/app/a/x.html', '/app/ab/x.html']), ['a/x.html', 'ab/x.html'])
})

test('filters mean the same to Go: nothing in a name is a pattern', () => {
  assert.match('/app/(src)/a+b.js', endFilter(['(src)/a+b.js', '🙂.js']))
  assert.match('./🙂.js', endFilter(['(src)/a+b.js', '🙂.js']))
  assert.not.match('src/main.json', endFilter(['src/main.js']))
  assert.match('/app/$release.pem', keyFilter('/app/$release.pem'))
  for (const { source } of [endFilter(['a{2}[b]^$', '\\d']), keyFilter('/a(b')])
    assert.match(source, /^[\w.|()$]+$/)
  assert.is(endFilter([]).test(''), false)
})

test('messages: columns count bytes, and an error has its code', () => {
  const location = locate('a.js', 'one\nü = "x"; "x"\nthree', ["'x'", '"x"'])!
  assert.equal(location, { file: 'a.js', line: 2, column: 5, length: 3, lineText: 'ü = "x"; "x"' })
  assert.is(locate('a.js', 'one', ['two']), undefined)
  const error = new SignedImpError('ERR_SIGNEDIMP_OUTPUT', 'is wrong', { path: 'a.js' })
  const message = toMessage(new LocatedError(error, location))
  assert.is(message.id, 'ERR_SIGNEDIMP_OUTPUT')
  assert.is(message.text, 'ERR_SIGNEDIMP_OUTPUT a.js: is wrong')
  assert.is(message.detail, error)
  assert.is(message.location, location)
  assert.is(toMessage('thrown').text, 'thrown')
})

test.run()
