import { attack, attacks } from '../support/attack.ts'
import { expect, newPublisher, signed, textOf, verdict } from './signed.ts'

const names = ['other', 'shop/staging', 'Shop', 'shop ', ' shop', 'shop\u00e9', 'sho', '']

attack(
  32,
  'a manifest that the same key signed for another app or channel',
  { variants: names.map((name) => JSON.stringify(name)), quick: true },
  async (variant) => {
    const name = JSON.parse(variant) as string
    const publisher = await newPublisher()
    const bytes = await signed(
      textOf({ directives: ['# signedimp: 1', `# name: ${name}`] }),
      publisher,
    )
    return expect(
      await verdict(bytes, { keys: [publisher.key] }),
      name === '' ? 'MANIFEST_INVALID' : 'NAME',
    )
  },
)

attack(32, 'a manifest without a name', { quick: true }, async () => {
  const publisher = await newPublisher()
  const bytes = await signed(textOf({ directives: ['# signedimp: 1'] }), publisher)
  return expect(await verdict(bytes, { keys: [publisher.key] }), 'MANIFEST_INVALID')
})

attacks.run()
