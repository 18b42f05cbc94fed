import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { examplesOf, tryExample } from '../support/examples.ts'
import { root } from '../support/files.ts'
import { headingsOf, readDocument } from '../support/markdown.ts'
import { checkMessage, messagesThrown } from '../support/messages.ts'

// Every example of docs/build-errors.md, built.

const codes = headingsOf(readDocument('docs/build-errors.md'), 2)
const examples = codes.flatMap(([, section]) => examplesOf(section))

for (const [code, section] of codes) {
  test(`${code} has examples, each of that code`, () => {
    const found = examplesOf(section)
    assert.ok(found.length > 0)
    for (const { text } of found) assert.is(text.split(' ')[0], code)
  })

  const causes = headingsOf(section, 3)
  for (const [cause, part] of causes.length > 0 ? causes : [[code, section] as const])
    for (const example of examplesOf(part))
      test(`${code}, ${cause}: a build says what the page says`, async () => {
        const { error = 'no error' } = await tryExample(example)
        checkMessage(example, error)
      })
}

test('every code that a build can throw has a section', () => {
  const errors = readFileSync(join(root, 'src/errors.ts'), 'utf8')
  const [, ofBuilds] = errors.split(/\/\/ What (?:a build or|only) a tool refuses\./)
  const declared = [...ofBuilds!.matchAll(/^ {2}\| '(\w+)'$/gm)].map(([, code]) => code!)
  assert.ok(declared.length >= 8)
  const documented = codes.map(([code]) => code)
  assert.equal(
    declared.filter((code) => !documented.includes(code)),
    [],
  )
})

const sources = ['src/plugin', 'src/emit', 'src/manifest/distinct.ts']

for (const kind of ['SignedImpError', 'reason'] as const)
  test(`every ${kind} that a build can give has an example`, () => {
    const thrown = messagesThrown(sources, kind)
    assert.ok(thrown.length > 8, `${thrown.length}`)
    const missing = thrown.filter(({ pattern }) => !examples.some(({ text }) => pattern.test(text)))
    assert.equal(
      missing.map(({ message }) => message),
      [],
    )
  })

test.run()
