import { attack, attacks } from '../support/attack.ts'
import { expect, newPublisher, signed, textOf, verdict } from './signed.ts'

const types = [
  '',
  ' ',
  'none',
  'SHA256',
  'sha-256',
  'sha256 ',
  ' sha256',
  'sha257',
  'sha2560',
  'sha256,sha1',
  '__proto__',
  'constructor',
  '# sha256',
  'null',
]

attack(
  13,
  'an unknown or empty hash type',
  { variants: types.map((type) => JSON.stringify(type)), quick: true },
  async (variant) => {
    const publisher = await newPublisher()
    const bytes = await signed(textOf({ hash: JSON.parse(variant) as string }), publisher)
    return expect(await verdict(bytes, { keys: [publisher.key] }), 'MANIFEST_INVALID')
  },
)

attack(
  13,
  'no hash type at all',
  { variants: ['no line', 'nothing but it', 'empty text'], quick: true },
  async (variant) => {
    const publisher = await newPublisher()
    const texts: Record<string, string> = {
      'no line': textOf().replace('sha256\n', ''),
      'nothing but it': 'sha256',
      'empty text': '',
    }
    return expect(
      await verdict(await signed(texts[variant]!, publisher), { keys: [publisher.key] }),
      'MANIFEST_INVALID',
    )
  },
)

attack(
  13,
  'hashes of another length than the type says',
  { variants: ['shorter', 'longer', 'sha384 for sha256'], quick: true },
  async (variant) => {
    const publisher = await newPublisher()
    const length = { shorter: 62, longer: 66, 'sha384 for sha256': 96 }[variant]!
    const bytes = await signed(textOf({ files: [`${'a'.repeat(length)} a.js`] }), publisher)
    return expect(await verdict(bytes, { keys: [publisher.key] }), 'MANIFEST_INVALID')
  },
)

attacks.run()
