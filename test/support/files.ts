import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'

/** The folder of this checkout. */
export const root: string = resolve(import.meta.dirname, '../..')

/** A test file, and what the runner needs to know before it starts it. */
export interface TestFile {
  /** Relative to the checkout, with `/`. */
  path: string
  /** Fast ones first. */
  group: 'unit' | 'attacks' | 'docs' | 'package' | 'bundlers' | 'runtimes' | 'browser'
  /** Whether it starts browsers; such files run last. */
  browsers: boolean
  /** Whether some of it belongs to a quick run. */
  quick: boolean
}

const order: TestFile['group'][] = [
  'unit',
  'attacks',
  'docs',
  'package',
  'bundlers',
  'runtimes',
  'browser',
]

/** The test files that take longest, the longest first: to begin with them keeps a run from waiting for one of them. */
export const longest: readonly string[] = [
  'test/browser/enforcement.test.ts',
  'test/attacks/115-module-entries.test.ts',
  'test/attacks/33-tampered-app.test.ts',
  'test/browser/entries.test.ts',
  'test/browser/fallback.test.ts',
  'test/browser/retry.test.ts',
  'test/attacks/40-chunk-answers.test.ts',
  'test/browser/conformance.test.ts',
]

/** Unit tests that start many processes or derive many keys, for which a quick run has no time. */
const slow = /^test\/(cli|keys|seal|tree\/(audit|power-loss|zip))\b/

/** Puts the longest files in front. */
export function longestFirst(files: readonly TestFile[]): TestFile[] {
  const rank = ({ path }: TestFile) =>
    longest.includes(path) ? longest.indexOf(path) : longest.length
  return [...files].sort((a, b) => rank(a) - rank(b))
}

/** Every file under test/, whatever its name. */
export function filesUnderTest(): string[] {
  return readdirSync(join(root, 'test'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((path) => !/\/(node_modules|dist)\//.test(path))
    .sort()
}

/** The files that the runner runs: all below test/ that end in .test.ts, in the order in which it runs them. */
export function testFiles(): TestFile[] {
  const found = filesUnderTest()
    .filter((path) => path.endsWith('.test.ts'))
    .map(describe)
  return found.sort((a, b) => order.indexOf(a.group) - order.indexOf(b.group))
}

function describe(path: string): TestFile {
  const folder = path.split('/')[1]!
  const group = order.find((name) => name === folder) ?? 'unit'
  const text = readFileSync(join(root, path), 'utf8')
  const attack = group === 'attacks'
  return {
    path,
    group,
    browsers: attack ? /\bengines:/.test(text) : /support\/browsers\.ts/.test(text),
    quick: attack ? /\bquick: true\b/.test(text) : group === 'unit' && !slow.test(path),
  }
}
