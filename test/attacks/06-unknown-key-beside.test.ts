import * as assert from 'uvu/assert'
import { attack, attacks } from '../support/attack.ts'
import { expect, newPublisher, signed, textOf, verdict } from './signed.ts'

attack(
  6,
  'a line of an unknown key beside a good one',
  { variants: ['before', 'after', 'both'], quick: true },
  async (variant) => {
    const [good, one, two] = [
      await newPublisher(),
      await newPublisher(),
      await newPublisher('rsa-pss'),
    ]
    const order = { before: [one, good], after: [good, one], both: [one, good, two] }[variant]!
    const bytes = await signed(textOf(), ...order)
    assert.is(await verdict(bytes, { keys: [good.key] }), 'ok accepted')
    // It does not fail, and it does not count.
    const absent = await newPublisher()
    const trust = { keys: [good.key, absent.key], threshold: 2 }
    return expect(await verdict(bytes, trust), 'SIGNATURE')
  },
)

attacks.run()
