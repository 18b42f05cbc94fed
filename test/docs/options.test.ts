import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  examplesOf,
  outputOf,
  tryExample,
  type Example,
  type Outcome,
} from '../support/examples.ts'
import { root } from '../support/files.ts'
import { headingsOf, readDocument, sectionOf } from '../support/markdown.ts'
import { shapeOf } from '../support/readme-app.ts'
import { checkMessage, messagesThrown } from '../support/messages.ts'

// Every example of docs/options.md, built.

const page = readDocument('docs/options.md')
const keys = headingsOf(sectionOf(page, 'The key'), 3)
const options = headingsOf(sectionOf(page, 'Options one by one'), 3)
const mistakes = headingsOf(sectionOf(page, 'Wrong options'), 3)

const source = (path: string) => readFileSync(join(root, path), 'utf8')
const [, fields] = /interface SignedImpOptions \{([^]*?)\n\}/.exec(source('src/plugin/options.ts'))!
const declared = [...fields!.matchAll(/@default (.+) \*\/\n {2}(\w+)\?:/g)]

test('every option has a section with its default and an example that sets it', () => {
  assert.equal(
    options.map(([name]) => name),
    declared.map(([, , name]) => name),
  )
  for (const [, value, name] of declared) {
    const [, section] = options.find(([heading]) => heading === name)!
    const [, told] = /^Default: (.+?)(\.| \(.*\)\.)$/m.exec(section)!
    assert.is(told!.replaceAll('`', ''), value, name)
    const calls = examplesOf(section).map(({ files }) => files['vite.config.js'] ?? '')
    assert.ok(calls.length > 0 && calls.every((call) => call.includes(`${name}:`)), name)
  }
})

/** Whether the text of an example is in its report, or word for word in its manifest, or in its page or `_headers`. */
function isTold(outcome: Outcome, text: string): boolean {
  if (/^(#|sha\d+$)/m.test(text)) return `${outputOf(outcome)}\n`.includes(`${text}\n`)
  const file = ({ '<': 'index.html', '/': '_headers' } as Record<string, string>)[text[0]!]
  const told = file ? outputOf(outcome, file) : outcome.printed
  return shapeOf(told).includes(shapeOf(text))
}

for (const [heading, section] of [...keys, ...options])
  examplesOf(section).forEach((example, at) =>
    test(`${heading}: example ${at + 1} does what the page says`, async () => {
      const outcome = await tryExample(example)
      assert.is(outcome.error, undefined)
      assert.ok(isTold(outcome, example.text), outcome.printed)
    }),
  )

test('every way to give a key has an example', () => {
  assert.is(keys.length, 6)
  for (const [heading, section] of keys) assert.is(examplesOf(section).length, 1, heading)
})

const wrong: Example[] = mistakes.flatMap(([, section]) => examplesOf(section))

for (const [heading, section] of mistakes)
  examplesOf(section).forEach((example, at) =>
    test(`${heading}: example ${at + 1} fails as the page says`, async () => {
      const { error = 'no error' } = await tryExample(example)
      checkMessage(example, error)
    }),
  )

test('every option has an example of a wrong value', () => {
  for (const [, , name] of declared)
    assert.ok(
      wrong.some(({ text }) => text.startsWith(`signedImp: "${name}" must be `)),
      name,
    )
})

test('every TypeError of the plugin has an example', () => {
  const thrown = messagesThrown(['src/plugin'], 'TypeError')
  assert.ok(thrown.length > 5)
  for (const { pattern, message } of thrown)
    assert.ok(
      wrong.some(({ text }) => pattern.test(text)),
      message,
    )
})

test.run()
