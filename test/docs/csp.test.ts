import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readDocument, rowsOf, sectionOf } from '../support/markdown.ts'
import { kinds, policies } from '../support/policies.ts'

// The policies of docs/csp.md: those in its blocks are tried by test/browser/readme.test.ts.

test('the table of policies is the one that is tried in each browser', () => {
  const section = sectionOf(readDocument('docs/csp.md'), 'What becomes of each policy')
  const told = rowsOf(section).map(([policy, inline, fate]) => [
    policy!.replaceAll('`', '').replace("'sha256-…'", 'BOOTSTRAP').replace('nonce-…', 'nonce-abc'),
    inline!.replaceAll('`', ''),
    fate,
  ])
  const spelled = (kind: keyof typeof kinds) => (kind === 'all' ? "'all'" : `${kinds[kind]}`)
  assert.equal(
    told,
    policies.map(([policy, kind, fate]) => [policy, spelled(kind), fate]),
  )
})

test.run()
