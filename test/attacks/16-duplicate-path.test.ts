import { attack, attacks } from '../support/attack.ts'
import { expect, file, newPublisher, signed, textOf, verdict } from './signed.ts'

const [one, two] = ['aa'.repeat(32), 'bb'.repeat(32)]
const files: Record<string, string[]> = {
  'two hashes': [file('a.js', one), file('a.js', two)],
  'two hashes, the larger first': [file('a.js', two), file('a.js', one)],
  'the same hash twice': [file('a.js', one), file('a.js', one)],
  'with another file between': [file('a.js', one), file('b.js', one), file('a.js', two)],
  'not in order': [file('b.js', one), file('a.js', one)],
  'in the order of UTF-16 and not of UTF-8': [file('\u{10000}.js', one), file('\uffee.js', one)],
}

attack(
  16,
  'one path with two hashes',
  { variants: Object.keys(files), quick: true },
  async (variant) => {
    const publisher = await newPublisher()
    const bytes = await signed(textOf({ files: files[variant]! }), publisher)
    return expect(await verdict(bytes, { keys: [publisher.key] }), 'MANIFEST_INVALID')
  },
)

attacks.run()
