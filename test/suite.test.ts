import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { filesUnderTest, longest, longestFirst, root, testFiles } from './support/files.ts'

const paths = testFiles().map((file) => file.path)
const textOf = (path: string) => readFileSync(join(root, path), 'utf8')

test('the runner finds this file', () => {
  assert.ok(paths.includes('test/suite.test.ts'))
})

test('the files that take longest are known, and none is lost by putting them first', () => {
  assert.equal(
    longest.filter((path) => !testFiles().some((file) => file.path === path && file.browsers)),
    [],
  )
  const sorted = longestFirst(testFiles()).map((file) => file.path)
  assert.equal(sorted.slice(0, longest.length), [...longest])
  assert.equal([...sorted].sort(), [...paths].sort())
})

// A file that forgets it passes without running anything.
test('every suite of every test file is run', () => {
  const forgotten = paths.flatMap((path) => {
    const text = textOf(path)
    const started = [...text.matchAll(/^(\w+)\.run\(\)$/gm)].map(([, name]) => name!)
    return suitesIn(text)
      .filter((name) => !started.includes(name))
      .map((name) => `${path}: ${name}.run()`)
  })
  assert.equal(forgotten, [])
})

test('every test file has a suite', () => {
  assert.equal(
    paths.filter((path) => suitesIn(textOf(path)).length === 0),
    [],
  )
})

test('a file that runs a suite has a name that the runner knows', () => {
  const others = filesUnderTest().filter(
    (path) => /\.[cm]?[jt]sx?$/.test(path) && !paths.includes(path),
  )
  assert.equal(
    others.filter((path) => /^\w+\.run\(\)$/m.test(textOf(path))),
    [],
  )
})

test('no test shuts the others out', () => {
  assert.equal(
    paths.filter((path) => /\.only\(/.test(textOf(path))),
    [],
  )
})

test('no test is skipped without a reason', () => {
  assert.equal(
    paths.filter((path) => /\btest\.skip\(/.test(textOf(path))),
    [],
  )
})

/** The names under which a file holds suites: `test` and `attacks` as imported, others as made. */
function suitesIn(text: string): string[] {
  const imported = [
    ...text.matchAll(/^import \{([^}]*)\} from '(?:uvu|[./]+support\/attack\.ts)'/gm),
  ]
    .flatMap(([, names]) => names!.split(',').map((name) => name.trim()))
    .filter((name) => name === 'test' || name === 'attacks')
  const made = [...text.matchAll(/^const (\w+) = suite[(<]/gm)].map(([, name]) => name!)
  return [...imported, ...made]
}

test.run()
