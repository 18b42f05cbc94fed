import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { examplesOf, tryExample } from '../support/examples.ts'
import { headingsOf, readDocument, sectionOf } from '../support/markdown.ts'
import { checkMessage, textsIn } from '../support/messages.ts'
import { shapeOf } from '../support/readme-app.ts'

// Every example of docs/esbuild.md, built, and that of docs/module-entries.md.

const sections = [
  ...headingsOf(readDocument('docs/esbuild.md'), 2),
  ['an entry without HTML', sectionOf(readDocument('docs/module-entries.md'), 'esbuild')] as const,
]
const examples = sections.flatMap(([, section]) => examplesOf(section))
const isError = (text: string): boolean => /^(ERR_|signedimp \w)/.test(text)

for (const [heading, section] of sections)
  examplesOf(section).forEach((example, at) =>
    test(`${heading}: example ${at + 1} does what the page says`, async () => {
      const { error, printed } = await tryExample(example)
      if (isError(example.text)) checkMessage(example, error ?? 'no error')
      else assert.ok(shapeOf(printed).includes(shapeOf(example.text)), `${error} ${printed}`)
    }),
  )

test('every option that makes a build impossible has an example', () => {
  const told = textsIn('src/plugin/esbuild/place.ts', /^ {6}(?=['"`]signedimp )/gm)
  assert.ok(told.length >= 5)
  for (const { message, pattern } of told)
    assert.ok(
      examples.some(({ text }) => pattern.test(text)),
      message,
    )
})

test.run()
