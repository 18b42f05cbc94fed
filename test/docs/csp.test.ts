import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readDocument, rowsOf, sectionOf } from '../support/markdown.ts'
import { entryPolicies, fateNames, kinds, policies } from '../support/policies.ts'
import { workerPolicies } from '../support/worker-policies.ts'

// The policies of docs/csp.md: those in its blocks are tried by test/browser/readme.test.ts.

const page = readDocument('docs/csp.md')

/** A policy of the document as the tests spell it. */
const spell = (policy: string): string =>
  policy
    .replaceAll('`', '')
    .replace("'sha256-…'", 'BOOTSTRAP')
    .replace("'sha256-map'", 'MAP')
    .replace("'sha256-control'", 'CONTROL')
    .replace('nonce-…', 'nonce-abc')

test('the table of policies is the one that is tried in each browser', () => {
  const told = rowsOf(sectionOf(page, 'What becomes of each policy')).map(
    ([policy, inline, ...fates]) => [spell(policy!), inline!.replaceAll('`', ''), ...fates],
  )
  const spelled = (kind: keyof typeof kinds) => (kind === 'all' ? "'all'" : `${kinds[kind]}`)
  assert.equal(
    told,
    policies.map(({ policy, kind, option, fates: { chromium, firefox, webkit } }) => [
      policy,
      [spelled(kind), option].filter(Boolean).join(', '),
      ...[chromium, firefox, webkit].map((fate) => fateNames[fate]),
    ]),
  )
})

test('the table of policies for workers is the one that is tried in each browser', () => {
  const told = rowsOf(sectionOf(page, 'Workers')).map(([policy, ...rest]) => [
    spell(policy!),
    ...rest.map((cell) => cell.replaceAll('`', '')),
  ])
  assert.equal(
    told,
    workerPolicies.map(({ policy, kind, enforcement, before, itself, lazy }) => [
      policy,
      kind === 'inline' ? 'true' : `false${enforcement === 'tags' ? ', tags' : ''}`,
      enforcement,
      before,
      itself,
      lazy,
    ]),
  )
})

test('the table of policies for entries without HTML is the one that is tried in each browser', () => {
  const rows = rowsOf(sectionOf(page, 'Entries without HTML'))
  assert.equal(
    rows.map(([policy, ...fates]) => [spell(policy!), ...fates]),
    entryPolicies,
  )
})

test.run()
