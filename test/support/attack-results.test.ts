import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { attackList } from './attack-list.ts'
import { countsOf, rowsOf, tableOf } from './attack-results.ts'
import { share, type AttackRun } from './attack.ts'

const list = new Map([
  [1, 'a | b'],
  [2, 'c'],
])

function runOf(outcome: string, more: Partial<AttackRun> = {}): AttackRun {
  return {
    id: '1 a',
    number: 1,
    title: 'a',
    where: 'node 20',
    variant: '',
    outcome,
    ms: 1,
    ...more,
  }
}

test('the list has each number once, from 1 on', () => {
  assert.equal(
    [...attackList().keys()],
    Array.from({ length: 135 }, (_, index) => index + 1),
  )
})

test('an attack without a run is not run, and counted as that', () => {
  const rows = rowsOf(list, [runOf('planned'), runOf('refused ERR_A')])
  assert.equal(
    rows.map((row) => row.state),
    ['held', 'not run'],
  )
  assert.equal(countsOf(rows), { held: 1, failed: 0, 'not run': 1 })
})

test('an attack that was planned and did not end has failed', () => {
  const [row] = rowsOf(list, [runOf('planned')])
  assert.is(row!.state, 'failed')
  assert.is(row!.outcome, 'failed: did not end')
})

test('one failed run makes the attack failed, however many held', () => {
  const [row] = rowsOf(list, [runOf('refused ERR_A'), runOf('failed: evil ran', { id: 'other' })])
  assert.is(row!.state, 'failed')
  assert.is(row!.outcome, 'failed: evil ran')
})

test('an attack that could run nowhere is not run', () => {
  const [row] = rowsOf(list, [runOf('not run: no such engine')])
  assert.is(row!.state, 'not run')
  assert.is(row!.where, '')
})

test('an engine that was missing shows beside the ones that held', () => {
  const missing = runOf('not run: no such engine', { id: 'other', where: 'webkit' })
  const [row] = rowsOf(list, [runOf('refused ERR_A'), missing])
  assert.is(row!.state, 'held')
  assert.is(row!.outcome, 'not run: no such engine (webkit); refused ERR_A')
  assert.is(row!.where, 'node 20')
})

test('a number that the list does not have is an error', () => {
  assert.throws(() => rowsOf(list, [runOf('refused ERR_A', { number: 3 })]), /no number 3/)
})

test('the table has a row for each attack, and cells that stay in their columns', () => {
  const table = tableOf(rowsOf(list, [runOf('failed: http://127.0.0.1:4000/x\n| y')]))
  const rows = table.split('\n').filter((line) => /^\| \d/.test(line))
  assert.equal(rows, [
    String.raw`| 1 | a \| b | **failed: http://host/x \| y** | node 20 | 1 | 1 |`,
    '| 2 | c | not run |  | 0 | 0 |',
  ])
})

test('shared variants are each run somewhere, and each engine runs one', () => {
  for (const variants of [['a'], ['a', 'b'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd', 'e']]) {
    for (let number = 1; number <= 12; number++) {
      const shares = [0, 1, 2].map((index) => share(variants, number, index, 3))
      assert.ok(shares.every((own) => own.length > 0))
      assert.equal([...new Set(shares.flat())].sort(), variants)
    }
  }
})

test.run()
