import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createGraph } from '../../src/emit/graph.ts'
import type { Output } from '../../src/emit/output.ts'
import { throwsCode } from '../support/throws.ts'

/** An output of modules, and of other files after them. */
function outputOf(modules: string[], others: string[] = []): Output {
  const output: Output = new Map()
  for (const path of modules) output.set(path, { path, source: '', isModule: true, isEntry: false })
  for (const path of others) output.set(path, { path, source: '', isModule: false, isEntry: false })
  return output
}

const resolve = (specifier: string, base: string, paths: string[], from = 'assets/index.js') =>
  createGraph(outputOf([from, ...paths]), base).resolve(from, specifier)

const imports = (specifier: string, output: Output, base = '/', from = 'assets/index.js') =>
  createGraph(output, base).link(from, [{ start: 8, end: 8 + specifier.length, specifier }])

for (const base of ['', '/', '/app/', 'https://cdn.example/app/', '//cdn.example/'])
  test(`relative specifiers mean files beside the module, whatever the base: ${base || './'}`, () => {
    assert.is(resolve('./a.js', base, ['assets/a.js']), 'assets/a.js')
    assert.is(resolve('../a.js', base, ['a.js']), 'a.js')
    assert.is(resolve('./x/../a.js', base, ['assets/a.js']), 'assets/a.js')
    assert.is(resolve('./deep/a.js', base, ['assets/deep/a.js']), 'assets/deep/a.js')
    assert.is(resolve('./missing.js', base, ['assets/a.js']), undefined)
  })

for (const base of ['/', '/app/', 'https://cdn.example/app/', '//cdn.example/'])
  test(`what starts with the base means a file of the output: ${base}`, () => {
    assert.is(resolve(`${base}assets/a.js`, base, ['assets/a.js']), 'assets/a.js')
    assert.is(resolve(`${base}a.js`, base, ['a.js'], 'index.html'), 'a.js')
  })

for (const [base, specifier] of [
  ['/app/', '/assets/a.js'],
  ['/app/', '/application/assets/a.js'],
  ['/app/', 'https://cdn.example/app/assets/a.js'],
  ['https://cdn.example/app/', '/assets/a.js'],
  ['https://cdn.example/app/', 'https://cdn.example/assets/a.js'],
  ['https://cdn.example/app/', 'http://cdn.example/app/assets/a.js'],
  ['https://cdn.example/app/', 'https://cdn.example.evil/app/assets/a.js'],
  ['/', '//evil.example/assets/a.js'],
  ['/', 'data:text/javascript,assets/a.js'],
  ['/', 'blob:assets/a.js'],
  ['', 'https://cdn.example/assets/a.js'],
] as const)
  test(`${specifier} is no file of an output at ${base || './'}`, () => {
    assert.is(resolve(specifier, base, ['assets/a.js']), undefined)
  })

test('a query makes another URL, which no file has', () => {
  assert.is(resolve('./a.js?v=2', '/', ['assets/a.js']), undefined)
})

// Files by URL and not by name: what a URL escapes is part of the name.
for (const [path, reference] of [
  ['assets/ü b.js', './%C3%BC%20b.js'],
  ['assets/ü b.js', './ü b.js'],
  ['assets/[id].js', './[id].js'],
  ['assets/a#b.js', './a%23b.js'],
  ['assets/a?b.js', './a%3Fb.js'],
  ['assets/a%20b.js', './a%2520b.js'],
  ['assets/a%23b.js', './a%2523b.js'],
  ["assets/a'b.js", "./a'b.js"],
  ['assets/a+b&c=d;e,f@g$h.js', './a+b&c=d;e,f@g$h.js'],
  ['assets/__proto__', './__proto__'],
] as const)
  test(`${reference} means ${path}`, () => {
    assert.is(resolve(reference, '/', [path]), path)
    assert.is(resolve('/' + reference.replace('./', 'assets/'), '/', [path]), path)
  })

for (const [path, reference] of [
  ['assets/a%23b.js', './a%23b.js'],
  ['assets/a%20b.js', './a%20b.js'],
  ['assets/a b.js', './a%2520b.js'],
  // To a browser the case of an escape makes another URL, which the map does not have.
  ['assets/a?b.js', './a%3fb.js'],
  ['assets/%2e%2e/a.js', './%2e%2e/a.js'],
  ['assets/a.js', './%zz/../a.jsx'],
] as const)
  test(`${reference} does not mean ${path}`, () => {
    assert.is(resolve(reference, '/', [path]), undefined)
  })

test('the import of a module is noted with its place', () => {
  const output = outputOf(['assets/index.js', 'assets/a.js'])
  assert.equal(imports('./a.js', output), [{ start: 8, end: 14, path: 'assets/a.js' }])
})

for (const [what, specifier] of Object.entries({
  'a missing file': './missing.js',
  'a file that is no module': './data.json',
  'a script of the public folder': '/legacy.js',
  'a URL whose answer anybody can give': 'http://cdn.example/react.js',
}))
  test(`refused: a static import of ${what}, which a page would refuse`, async () => {
    const output = outputOf(['assets/index.js', 'assets/a.js'], ['assets/data.json', 'legacy.js'])
    const error = await throwsCode(() => imports(specifier, output), 'ERR_SIGNEDIMP_OUTPUT')
    assert.match(error.message, `imports "${specifier}"`)
    assert.is((error as Error & { path?: string }).path, 'assets/index.js')
  })

for (const [what, specifier] of Object.entries({
  'a package': 'react',
  'a bare name, which is not looked for beside the module': 'a.js',
  'a name with a scheme': 'npm:react',
  'a URL': 'https://cdn.example/react.js',
}))
  test(`left to pages: a static import of ${what}, which links in a circle elsewhere`, () => {
    const output = outputOf(['assets/index.js', 'assets/a.js'])
    const [start, end, path] = [8, 8 + specifier.length, 'assets/index.js']
    assert.equal(imports(specifier, output), [{ start, end, path }])
  })

// A redirect makes a module's relative imports start elsewhere. They must not find anything there.
const ambiguous: Record<string, [from: string, specifier: string, files: string[]]> = {
  'two locales': ['en/a.js', './messages.js', ['en/messages.js', 'de/messages.js']],
  'a folder below': ['a.js', './b.js', ['b.js', 'old/b.js']],
  'a folder above': ['new/a.js', './b.js', ['new/b.js', 'b.js']],
  'a deeper import': ['en/a.js', './x/b.js', ['en/x/b.js', 'de/x/b.js']],
  'an import from above': ['en/x/a.js', '../b.js', ['en/b.js', 'de/b.js']],
  'a name with a space, escaped': ['en/a.js', './b%20c.js', ['en/b c.js', 'de/b c.js']],
  'dots in the middle': ['en/a.js', './x/../b.js', ['en/b.js', 'de/b.js']],
  'an import from far above': ['1/2/3/a.js', '../../b.js', ['1/b.js', '4/b.js']],
}

for (const base of ['', '/', 'https://cdn.example/'])
  for (const [what, [from, specifier, files]] of Object.entries(ambiguous))
    test(`refused: an import that a redirect could turn into another file: ${what}, base ${base || './'}`, async () => {
      const output = outputOf([from, ...files])
      const error = await throwsCode(
        () => imports(specifier, output, base, from),
        'ERR_SIGNEDIMP_OUTPUT',
      )
      for (const file of files) assert.match(error.message, file)
      assert.match(error.message, 'redirect')
    })

test('refused: an import that a redirect could turn into a listed script that is no module of the build', async () => {
  // A page maps every listed .js, .mjs and .json, so each would be run, or read, as a module.
  for (const other of ['old/b.js', 'public/deep/b.js'])
    await throwsCode(
      () => imports('./b.js', outputOf(['assets/b.js'], [other])),
      'ERR_SIGNEDIMP_OUTPUT',
    )
})

test('names that only end alike are not ambiguous', () => {
  const output = outputOf(['assets/index.js', 'assets/b.js', 'assets/ab.js', 'x/cab.js'])
  assert.is(imports('./b.js', output)[0]?.path, 'assets/b.js')
})

test('an import by the absolute base means the same after any redirect', () => {
  const output = outputOf(['en/a.js', 'en/b.js', 'de/b.js'])
  assert.is(imports('/en/b.js', output, '/', 'en/a.js')[0]?.path, 'en/b.js')
  const cdn = 'https://cdn.example/'
  assert.is(imports(`${cdn}en/b.js`, output, cdn, 'en/a.js')[0]?.path, 'en/b.js')
})

test.run()
