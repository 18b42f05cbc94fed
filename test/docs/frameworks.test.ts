import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { frameworks } from '../frameworks/all.ts'
import { blocksOf, readDocument, rowsOf, sectionOf } from '../support/markdown.ts'

// docs/frameworks.md says what `npm run test:frameworks` has found, and its recipes are what that runs.

const page = readDocument('docs/frameworks.md')
const rows = new Map(rowsOf(sectionOf(page, 'Results')).map((row) => [row[0]!, row.slice(1)]))

test('the table has each framework once, in order', () => {
  assert.equal(
    [...rows.keys()],
    frameworks.map(({ name }) => name),
  )
})

for (const { name, packages, configured, refused, plugin } of frameworks) {
  test(`the row is of what is run now: ${name}`, () => {
    const [versions, by, set, result, load] = rows.get(name)!
    const pinned = Object.entries(packages).map(([name, version]) => `${name} ${version}`)
    assert.equal(
      [versions, by, set],
      [pinned.join(', '), plugin ? 'plugin' : '`signedimp seal`', configured],
    )
    assert.match(
      result!,
      refused ? /^refused: / : /^works; chromium \S+: .* none ran, .*; firefox \S+: .* none ran, /,
    )
    assert.match(load!, refused ? /^$/ : /^[\d.]+ \([\d.]+-[\d.]+\), n = \d+$/)
  })
}

/** Blocks of code, without the line that names the file. */
const codes = ['js', 'ts'].flatMap((language) =>
  blocksOf(page, language).map((code) => code.replace(/^\/\/ .*\n/, '')),
)

for (const { name, files, plugin, refused } of frameworks) {
  if (refused) continue
  test(`the recipe has the configuration that is run: ${name}`, () => {
    const all = Object.entries({ ...files, ...plugin })
    for (const [path, text] of all.filter(([path]) => /^\w[\w.-]*\.config\.\w+$/.test(path)))
      assert.ok(codes.includes(text), path)
  })
}

test.run()
