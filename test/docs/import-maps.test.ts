import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { examplesOf, tryExample } from '../support/examples.ts'
import { headingsOf, readDocument } from '../support/markdown.ts'
import { shapeOf } from '../support/readme-app.ts'

// Every example of docs/import-maps.md, built. That such pages run is in test/browser/own-map.test.ts.

const sections = headingsOf(readDocument('docs/import-maps.md'), 2)
const examples = sections.flatMap(([heading, section]) =>
  examplesOf(section).map((example) => [heading, example] as const),
)

test('there are examples of names and of external modules', () => {
  assert.equal(
    examples.map(([heading]) => heading),
    ["The page's own import map", 'Modules from a CDN'],
  )
})

for (const [heading, example] of examples)
  test(`${heading}: the build says what the page says`, async () => {
    const { error, printed } = await tryExample(example)
    assert.is(error, undefined)
    assert.ok(shapeOf(printed).includes(shapeOf(example.text)), printed)
  })

test.run()
