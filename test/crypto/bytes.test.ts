import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { base64, fromBase64, fromUtf8, hex, utf8 } from '../../src/crypto/bytes.ts'

/** The name of the error that `work` throws. */
function nameOfError(work: () => unknown): string | undefined {
  try {
    work()
  } catch (error) {
    return (error as Error).name
  }
  return undefined
}

// RFC 4648 §10.
for (const [text, encoded, digits] of [
  ['', '', ''],
  ['f', 'Zg==', '66'],
  ['fo', 'Zm8=', '666f'],
  ['foo', 'Zm9v', '666f6f'],
  ['foobar', 'Zm9vYmFy', '666f6f626172'],
] as const)
  test(`"${text}" is "${encoded}" in base64 and "${digits}" in hex`, () => {
    assert.is(base64(utf8(text)), encoded)
    assert.is(hex(utf8(text)), digits)
    assert.is(fromUtf8(fromBase64(encoded)), text)
  })

for (const [what, text] of [
  ['without its padding', 'Zg'],
  ['with half its padding', 'Zg='],
  ['with more padding than belongs there', 'Zg==='],
  ['with bits after the last byte', 'Zh=='],
  ['with bits after the last byte of two', 'Zm9='],
  ['in the alphabet of URLs', '-_-_'],
  ['with a space', 'Zm 9v'],
  ['with a line end', 'Zm9v\n'],
  ['with a character that base64 has not', 'Zm9*'],
  ['with a character beyond Latin-1', 'Zm9√'],
] as const)
  test(`base64 ${what} is refused: the same bytes must not have two spellings`, () => {
    assert.ok(nameOfError(() => fromBase64(text)))
  })

test('base64 of any bytes comes back, and is what node:buffer gives', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.is(base64(bytes), Buffer.from(bytes).toString('base64'))
      assert.is(hex(bytes), Buffer.from(bytes).toString('hex'))
      assert.equal(fromBase64(base64(bytes)), new Uint8Array(bytes))
    }),
  )
})

for (const [what, bytes] of [
  ['a byte that begins nothing', [0x80]],
  ['a character that is cut short', [0xe2, 0x82]],
  ['an overlong slash', [0xc0, 0xaf]],
  ['a surrogate', [0xed, 0xa0, 0x80]],
  ['a number beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
] as const)
  test(`UTF-8 with ${what} is refused: no byte becomes U+FFFD, which could stand for another`, () => {
    assert.is(
      nameOfError(() => fromUtf8(Uint8Array.from(bytes))),
      'TypeError',
    )
  })

test('a byte order mark stays in a text, so that whoever reads it can refuse it', () => {
  assert.is(fromUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)), '\ufeffa')
})

test.run()
