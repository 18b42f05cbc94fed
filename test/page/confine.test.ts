import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { confines } from '../../src/page/confine.ts'

// Whether a policy keeps scripts at the page's own origin, as its text says.

const own = 'https://shop.example'

const confining = [
  `script-src 'self'`,
  `default-src 'self'`,
  `script-src ${own}`,
  `script-src 'none'`,
  `script-src`,
  `SCRIPT-SRC 'SELF'`,
  `default-src *; script-src 'self' 'sha256-AAAA' 'unsafe-eval' 'wasm-unsafe-eval' 'report-sample'`,
  `script-src *; script-src-elem 'self'`,
  `img-src *;  script-src  'self' ;style-src *`,
  // Of two directives of one name the first counts.
  `script-src 'self'; script-src *`,
]

const open = [
  ``,
  `img-src 'self'`,
  `script-src *`,
  `script-src 'self' https:`,
  `script-src 'self' blob:`,
  `script-src 'self' data:`,
  `script-src 'self' cdn.example`,
  `script-src 'self' https://cdn.example`,
  `script-src 'self' https://*.shop.example`,
  `script-src ${own}.evil.example`,
  `script-src 'self' 'strict-dynamic'`,
  `script-src 'self' 'Strict-Dynamic'`,
  `script-src 'self' 'nonce-abc'`,
  `script-src 'self'; script-src-elem https:`,
  `script-src *; script-src 'self'`,
  `default-src 'self'; script-src https:`,
]

for (const policy of confining)
  test(`nothing from elsewhere: ${policy}`, () => assert.is(confines(policy, own), true))

for (const policy of open)
  test(`something from elsewhere: ${policy || 'no directive'}`, () =>
    assert.is(confines(policy, own), false))

test.run()
