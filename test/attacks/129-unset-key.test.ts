import * as assert from 'uvu/assert'
import { signedImp } from 'signedimp'
import { attack, attacks } from '../support/attack.ts'

const values: Record<string, unknown> = {
  'an unset variable': process.env['SIGNEDIMP_KEY_THAT_IS_NOT_SET'],
  'an empty variable': '',
  null: null,
  'an empty object': {},
  false: false,
  zero: 0,
}

attack(
  129,
  'a key that is not there',
  { variants: Object.keys(values), quick: true },
  (variant) => {
    for (const args of [[values[variant]], [values[variant], { name: 'shop' }]])
      try {
        ;(signedImp as (...given: unknown[]) => unknown)(...args)
        assert.unreachable()
      } catch (error) {
        assert.instance(error, TypeError)
        assert.match((error as Error).message, 'the key must be')
      }
    return 'refused TypeError that names the key'
  },
)

attacks.run()
