import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { comparePaths, isPath, isSafeText, pathToUrl } from '../../src/manifest/path.ts'
import { aPath } from './arbitrary.ts'

for (const path of [
  'a',
  '0',
  'a b.js',
  ' a.js',
  'a#b?c%20.js',
  'a;b&c=d+e,f.js',
  '[id].js',
  '...',
  '.hidden',
  'a/..b/c..',
  '__proto__',
  'constructor/toString',
  'hasOwnProperty',
  'Ünïcode/ключ.js',
  '\u{1f600}/\uff5e.js',
  'שלום.js',
])
  test(`${JSON.stringify(path)} is a path`, () => {
    assert.is(isPath(path), true)
  })

for (const [why, ...paths] of [
  ['nothing names no file', ''],
  ['it leaves the base', '..', '../a', 'a/..', 'a/../b', 'a/../../b'],
  ['one file would have two names', '.', './a', 'a/.', 'a/./b', 'a//b', 'a/', '//a'],
  ['it starts at the root, or at a host', '/a', '//host/a', '/'],
  ['Windows takes a backslash for a slash', 'a\\b', '..\\a', '\\\\host\\a', 'C:\\a'],
  [
    'a line or a directive could end within it',
    'a\nb',
    'a\rb',
    'a\tb',
    'a\u2028b',
    'a\u2029b',
    'a\u0085b',
  ],
  [
    'it ends early for programs in C, or is shown as something else',
    'a\0b',
    'a\x1bb',
    'a\x7fb',
    'a\x9bb',
  ],
  [
    'it reads as another name: marks that turn the direction of text',
    'a\u202egpj.js',
    'a\u200fb',
    'a\u200eb',
    'a\u061cb',
    'a\u2066b',
    'a\u2069b',
    'a\u202ab',
  ],
  ['a byte order mark is not seen', '\ufeffa', 'a\ufeff'],
  ['a lone surrogate has no UTF-8', 'a\ud800', '\udc00a', 'a\ud800b', '\udc00\ud800'],
  ['it stands for bytes that are not UTF-8', 'a\ufffd.js'],
  ['it has another form that looks the same (NFD)', 'u\u0308.js', '\u212b', 'e\u0301/a'],
  ['a browser drops the space at the end of a URL', 'a ', 'a.js  ', 'a/b '],
] as const)
  for (const path of paths)
    test(`${JSON.stringify(path)} is refused as a path: ${why}`, () => {
      assert.is(isPath(path), false)
    })

test('a name is text that a line can hold: neither empty nor with anything that hides', () => {
  for (const name of ['shop', 'shop/beta', '../x', 'a b', 'Käse', '__proto__', '\u{1f9c0}'])
    assert.is(isSafeText(name), true, name)
  for (const name of ['', 'a\nb', 'a\tb', 'a\0', '\u202eposh', 'u\u0308', '\ud83e', 'a\\b'])
    assert.is(isSafeText(name), false, JSON.stringify(name))
})

// http, a port, a scheme that browsers know nothing of, a base with escapes of its own.
for (const base of [
  'https://cdn.example/app/',
  'http://127.0.0.1:8080/',
  'app://localhost/x/',
  'https://host/a%20b/',
])
  test(`below ${base} a path is where its URL decodes to it, so no path leaves the base or takes another's place`, () => {
    fc.assert(
      fc.property(aPath, (path) => {
        const url = pathToUrl(path, base)
        assert.ok(url.startsWith(base), url)
        assert.is(decodeURIComponent(url.slice(base.length)), path)
      }),
      { numRuns: 1000 },
    )
  })

for (const [path, url] of [
  ['a.js', 'a.js'],
  ['a#b.js', 'a%23b.js'],
  ['a?b.js', 'a%3Fb.js'],
  ['a%2e%2e%2fb.js', 'a%252e%252e%252fb.js'],
  ['%2e%2e/b.js', '%252e%252e/b.js'],
  ['%252F.js', '%25252F.js'],
  ['a:b.js', 'a:b.js'],
  ['javascript:alert(1)', 'javascript:alert(1)'],
  ['https:/evil.example/a.js', 'https:/evil.example/a.js'],
  ['data:text/javascript,0', 'data:text/javascript,0'],
  ['@host/a', '@host/a'],
  ['a b.js', 'a%20b.js'],
  ['ключ.js', '%D0%BA%D0%BB%D1%8E%D1%87.js'],
] as const)
  test(`the URL of ${path} is ${url} below the base: a path is never decoded, and is no scheme or host`, () => {
    assert.is(isPath(path), true)
    assert.is(pathToUrl(path, 'https://cdn.example/app/'), `https://cdn.example/app/${url}`)
  })

test('paths are in the order of their UTF-8 bytes, as sort -c finds them with LC_ALL=C', () => {
  fc.assert(
    fc.property(fc.tuple(aPath, aPath), ([a, b]) => {
      assert.is(Math.sign(comparePaths(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)))
    }),
    { numRuns: 3000 },
  )
})

for (const [what, first, second] of [
  [
    'a character beyond U+FFFF comes after U+FF5E, though its UTF-16 begins with a smaller unit',
    '\uff5e',
    '\u{1f600}',
  ],
  ['so it does after a common beginning', 'a/\uffee', 'a/\u{10000}'],
  ['two characters with one first surrogate go by the second', '\u{1f600}', '\u{1f601}'],
  ['a beginning comes before the whole', 'a', 'a/b'],
  ['upper case comes before lower case', 'Z', 'a'],
  ['a hyphen comes before a slash', 'a-b', 'a/b'],
] as const)
  test(`order of paths: ${what}`, () => {
    assert.ok(comparePaths(first, second) < 0)
    assert.ok(comparePaths(second, first) > 0)
    assert.is(Math.sign(comparePaths(first, first)), 0)
    assert.is(Buffer.compare(Buffer.from(first), Buffer.from(second)), -1)
  })

test.run()
