import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createRandom, formatRatio, judge, median, ratioOf, summarize } from './statistics.ts'

test('the median is the middle, or half way between the two in the middle', () => {
  assert.is(median([30, 10, 20]), 20)
  assert.is(median([40, 10, 20, 30]), 25)
  assert.is(median([9, 100]), 54.5)
})

test('values are compared as numbers, and stay in their order', () => {
  const values = [100, 9, 20]
  assert.equal(summarize(values), { runs: 3, median: 20, min: 9, max: 100 })
  assert.equal(values, [100, 9, 20])
})

test('nothing has no summary', () => {
  assert.is(summarize([]), undefined)
})

test('a ratio of steady times is sure of itself', () => {
  assert.equal(ratioOf([20, 20, 20], [10, 10, 10]), { value: 2, low: 2, high: 2, runs: 3 })
})

test('a ratio of noisy times says so, the same each time', () => {
  const ours = [90, 100, 160, 95, 130]
  const theirs = [100, 70, 90, 150, 95]
  const ratio = ratioOf(ours, theirs)
  assert.is(ratio.value, 100 / 95)
  assert.ok(ratio.low < 0.95, `${ratio.low}`)
  assert.ok(ratio.high > 1.2, `${ratio.high}`)
  assert.equal(ratioOf(ours, theirs), ratio)
})

test('the interval holds the truth about as often as it says', () => {
  const random = createRandom(7)
  const times = (truth: number) => Array.from({ length: 9 }, () => truth * (1 + random() ** 3))
  const trials = 200
  const held = Array.from({ length: trials }, () => ratioOf(times(120), times(100))).filter(
    ({ low, high }) => low <= 1.2 && high >= 1.2,
  )
  assert.ok(held.length > trials * 0.88, `${held.length} of ${trials}`)
})

test('a target within the noise is neither met nor missed', () => {
  assert.is(judge({ value: 1, low: 1, high: 1.05, runs: 5 }, 1.05), 'met')
  assert.is(judge({ value: 1, low: 1.04, high: 1.06, runs: 5 }, 1.05), 'unclear')
  assert.is(judge({ value: 1, low: 1.06, high: 1.2, runs: 5 }, 1.05), 'missed')
})

test('of a few runs only the ratio is told', () => {
  const few = ratioOf([20, 20, 20, 20], [10, 10, 10, 10, 10])
  assert.is(judge(few, 1.05), 'too few runs')
  assert.is(formatRatio(few), '2.00')
  assert.is(formatRatio({ ...few, runs: 5 }), '2.00 (2.00-2.00)')
})

test.run()
