import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decode, encode, identifier, integer, octets, sequence } from '../../src/keys/der.ts'

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

test('any values come back as they were written, short and long', () => {
  const aValue = fc.record({
    tag: fc.nat(255),
    content: fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.nat(70_000).map((length) => new Uint8Array(length)),
    ),
  })
  fc.assert(
    fc.property(fc.array(aValue, { maxLength: 4 }), (values) => {
      const read = decode(Buffer.concat(values.map(({ tag, content }) => encode(tag, content))))
      const shown = (list: typeof values) => list.map(({ tag, content }) => [tag, hexOf(content)])
      assert.equal(shown(read as typeof values), shown(values))
    }),
  )
})

for (const [what, bytes] of [
  ['a tag alone', [0x30]],
  ['less than its length says', [0x30, 3, 1, 2]],
  ['less after a whole value', [0x05, 0, 0x30, 1]],
  ['an endless length', [0x30, 0x80, 5, 0, 0, 0]],
  ['a length that is cut short', [0x30, 0x82, 1]],
  ['a length of five bytes', [0x30, 0x85, 0, 0, 0, 0, 1, 0]],
  ['a length beyond the end', [0x30, 0x84, 255, 255, 255, 255, 0]],
] as const)
  test(`${what} is not read`, () => {
    let error: unknown
    try {
      decode(Uint8Array.from(bytes))
    } catch (caught) {
      error = caught
    }
    assert.instance(error, RangeError)
  })

// X.690 §8.1.3, §8.3, §8.19.
for (const [what, bytes, expected] of [
  ['zero', integer(0n), '020100'],
  ['127', integer(127n), '02017f'],
  ['128, which needs a zero', integer(128n), '02020080'],
  ['255', integer(255n), '020200ff'],
  ['256', integer(256n), '02020100'],
  ['65537', integer(65537n), '0203010001'],
  ['an identifier', identifier('1.2.840.113549.1.1.10'), '06092a864886f70d01010a'],
  ['another', identifier('2.16.840.1.101.3.4.2.3'), '0609608648016503040203'],
  ['127 bytes', octets(new Uint8Array(127)).subarray(0, 3), '047f00'],
  ['128 bytes', octets(new Uint8Array(128)).subarray(0, 4), '04818000'],
  ['256 bytes', octets(new Uint8Array(256)).subarray(0, 5), '0482010000'],
  ['a sequence', sequence(integer(1n), octets(Buffer.of(2))), '3006020101040102'],
] as const)
  test(`DER of ${what}`, () => {
    assert.is(hexOf(bytes), expected)
  })

test.run()
