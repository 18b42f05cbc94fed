import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { refuseSharedNames } from '../../src/manifest/distinct.ts'
import { throwsCode } from '../support/throws.ts'

for (const [what, one, other] of [
  ['differ in case only', 'assets/App.js', 'assets/app.js'],
  ['differ in a folder’s case only', 'Assets/a.js', 'assets/a.js'],
  ['fold to one letter', 'ςοφός.js', 'σοφόσ.js'],
  ['have one URL', 'a.js', 'a.js '],
] as const)
  test(`two paths that ${what} are refused with both names`, async () => {
    const error = await throwsCode(
      () => refuseSharedNames([one, 'b.js', other]),
      'ERR_SIGNEDIMP_PATH',
    )
    assert.ok(
      error.message.includes(`"${one}"`) && error.message.includes(`${other}: `),
      error.message,
    )
  })

test('paths that only look alike are accepted, and so is one path given twice', () => {
  refuseSharedNames([
    'a b.js',
    'a%20b.js',
    'a%2520b.js',
    'a?.js',
    'a#.js',
    'a.js',
    '__proto__',
    'a.js',
  ])
})

test.run()
