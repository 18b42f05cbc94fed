import * as assert from 'uvu/assert'
import { chunk, emit, entry } from '../emit/emitted.ts'
import { attack, attacks } from '../support/attack.ts'
import { throwsCode } from '../support/throws.ts'

const pairs = [
  'App.js app.js',
  'a/B.js A/b.js',
  'STRASSE.js stra\u00dfe.js',
  '\u03c2.js \u03c3.js',
  'K.js \u212a.js',
  '\u0130.js i\u0307.js',
]

attack(
  23,
  'two files that differ in letter case',
  { variants: pairs, quick: true },
  async (pair) => {
    const [one, two] = pair.split(' ') as [string, string]
    const files = { [`assets/${one.normalize()}`]: chunk('1'), [`assets/${two}`]: chunk('2') }
    if (one.normalize() === two.normalize())
      return 'ok they are one name, of which NFC lets one spelling be listed'
    const error = await throwsCode(
      () =>
        emit({ ...files, 'a.js': entry('1'), 'a.html': '<script type=module src=/a.js></script>' }),
      'ERR_SIGNEDIMP_PATH',
    )
    assert.match(error.message, 'host that ignores case')
    return `refused ${error.code}`
  },
)

attacks.run()
