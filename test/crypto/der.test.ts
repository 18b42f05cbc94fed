import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { rawFromDer } from '../../src/crypto/der.ts'
import { derFromRaw } from '../../src/keys/der.ts'
import { anEdit, edited } from './edits.ts'

const aRaw = fc.uint8Array({ minLength: 64, maxLength: 64 })

// Numbers with leading zeros, and with the highest bit set: where DER needs fewer bytes, and one more.
const aShortRaw = fc
  .tuple(aRaw, fc.nat(32), fc.nat(32))
  .map(([raw, r, s]) => raw.map((byte, at) => (at < r || (at >= 32 && at < 32 + s) ? 0 : byte)))

test('a signature r || s comes back from DER as it went in', () => {
  fc.assert(
    fc.property(fc.oneof(aRaw, aShortRaw), (raw) =>
      assert.equal(rawFromDer(derFromRaw(raw)), new Uint8Array(raw)),
    ),
    { numRuns: 2000 },
  )
})

test('no edit of a DER signature makes a second spelling of it: it is refused, or it is the DER of other numbers', () => {
  let refused = 0
  fc.assert(
    fc.property(fc.oneof(aRaw, aShortRaw), anEdit, (raw, edit) => {
      const other = edited(derFromRaw(raw), edit)
      const read = rawFromDer(other)
      if (read) assert.equal(new Uint8Array(derFromRaw(read)), new Uint8Array(other))
      else refused++
    }),
    { numRuns: 5000 },
  )
  assert.ok(refused > 100, `only ${refused} of 5000 edits were refused`)
})

for (const [what, bytes] of [
  ['nothing', []],
  ['a tag alone', [0x30]],
  ['no integers', [0x30, 0]],
  ['one integer', [0x30, 3, 2, 1, 1]],
  ['three integers', [0x30, 9, 2, 1, 1, 2, 1, 1, 2, 1, 1]],
  ['an empty integer, which some read as zero', [0x30, 5, 2, 0, 2, 1, 1]],
  ['a negative integer, which some read as a positive one', [0x30, 6, 2, 1, 0x80, 2, 1, 1]],
  ['a number with a needless zero', [0x30, 7, 2, 2, 0, 1, 2, 1, 1]],
  ['a length in the long form', [0x30, 0x81, 6, 2, 1, 1, 2, 1, 1]],
  ['a sequence that claims more than there is', [0x30, 7, 2, 1, 1, 2, 1, 1]],
  ['a byte after the end', [0x30, 6, 2, 1, 1, 2, 1, 1, 0]],
  ['a number of 33 bytes', [0x30, 38, 2, 33, ...Array<number>(33).fill(1), 2, 1, 1]],
  [
    'a number of 33 bytes after its zero',
    [0x30, 39, 2, 34, 0, ...Array<number>(33).fill(255), 2, 1, 1],
  ],
  ['another tag than INTEGER', [0x30, 6, 2, 1, 1, 3, 1, 1]],
  ['another tag than SEQUENCE', [0x31, 6, 2, 1, 1, 2, 1, 1]],
] as const)
  test(`rawFromDer refuses ${what}`, () => {
    assert.is(rawFromDer(Uint8Array.from(bytes)), undefined)
  })

test('rawFromDer reads the smallest signature there is', () => {
  const raw = rawFromDer(Uint8Array.of(0x30, 6, 2, 1, 1, 2, 1, 2))!
  assert.is(Buffer.from(raw).toString('hex'), '01'.padStart(64, '0') + '02'.padStart(64, '0'))
})

test.run()
