import { attack, attacks } from '../support/attack.ts'
import { expect, keyAlgorithms, newPublisher, signed, textOf, verdict } from './signed.ts'

attack(
  5,
  'signed by an unknown key only',
  { variants: keyAlgorithms, quick: true },
  async (variant) => {
    const algorithm = keyAlgorithms.find((name) => name === variant)!
    const [trusted, stranger] = [await newPublisher(algorithm), await newPublisher(algorithm)]
    const bytes = await signed(textOf(), stranger)
    return expect(await verdict(bytes, { keys: [trusted.key] }), 'SIGNATURE')
  },
)

attacks.run()
