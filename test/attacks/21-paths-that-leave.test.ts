import { emit } from '../emit/emitted.ts'
import { attack, attacks } from '../support/attack.ts'
import { throwsCode } from '../support/throws.ts'
import { expect, file, newPublisher, signed, textOf, verdict } from './signed.ts'

const paths = [
  '../x.js',
  '..',
  '.',
  './x.js',
  'a/../x.js',
  'a/./x.js',
  '/abs.js',
  '//host/x.js',
  'a//b.js',
  'a/',
  '/',
  'a/..',
  '\\x.js',
  'a\\..\\x.js',
  'C:\\x.js',
  '\\\\host\\x.js',
]

attack(21, 'paths that leave the base', { variants: paths, quick: true }, async (path) => {
  const publisher = await newPublisher()
  const trust = { keys: [publisher.key] }
  expect(
    await verdict(await signed(textOf({ files: [file(path)] }), publisher), trust),
    'MANIFEST_INVALID',
  )
  // Neither does a build write one.
  await throwsCode(() => emit({ [path]: '' }), 'ERR_SIGNEDIMP_PATH')
  return 'refused ERR_SIGNEDIMP_MANIFEST_INVALID'
})

attacks.run()
