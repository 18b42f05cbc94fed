import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { applyDelta, makeDelta, type Delta } from '../../src/seal/delta.ts'

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array))

/** Texts that share long parts in any order, as a sealed file and what it was made of do. */
const related = fc
  .array(bytes, { minLength: 1, maxLength: 4 })
  .chain((parts) => {
    const order = fc.array(fc.oneof(fc.constantFrom(...parts), bytes), { maxLength: 8 })
    return fc.tuple(order, order)
  })
  .map(([one, other]) => [Buffer.concat(one), Buffer.concat(other)] as const)

test('a delta gives back any bytes', () => {
  fc.assert(
    fc.property(related, ([before, after]) => {
      assert.ok(applyDelta(makeDelta(before, after), after)!.equals(before))
    }),
  )
})

test('a delta is small where little differs', () => {
  const text = Array.from({ length: 5000 }, (_, at) => `line ${at};`).join('\n')
  const edited = text.replaceAll('7;', '[seven];').replace('line 1;', '')
  const delta = makeDelta(Buffer.from(text), Buffer.from(`\ufeff${edited}`))
  assert.ok(JSON.stringify(delta).length < text.length / 2)
  const [one] = makeDelta(Buffer.from(text), Buffer.from(`\ufeff${text}`))
  assert.equal(one, [3, text.length])
})

test('a delta of other bytes is none, or gives something else', () => {
  const delta: Delta = [[2, 10]]
  assert.is(applyDelta(delta, Buffer.from('too short')), undefined)
  const many: Delta = Array.from({ length: 17 }, () => [0, 9])
  assert.is(applyDelta(many.slice(1), Buffer.from('too short'))!.length, 16 * 9)
  assert.is(applyDelta(many, Buffer.from('too short')), undefined)
})

test.run()
