import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readDocument, rowsOf } from '../support/markdown.ts'
import { templates } from '../templates/templates.ts'

// docs/templates.md says what `npm run test:templates` has found.

const rows = rowsOf(readDocument('docs/templates.md'))

test('the table has each template once, in order', () => {
  assert.equal(
    rows.map(([name]) => name),
    templates.map(({ name }) => name),
  )
})

test('each was run to the end in all engines, or could not be installed', () => {
  for (const [name, , result] of rows)
    assert.match(
      result!,
      /^(works; chromium \S+: .*; firefox \S+: .*; webkit \S+: |cannot be installed: )/,
      name,
    )
})

test.run()
