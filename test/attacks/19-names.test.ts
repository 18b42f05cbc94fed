import * as assert from 'uvu/assert'
import { pathToUrl } from '../../src/manifest/path.ts'
import { attack, attacks } from '../support/attack.ts'
import { expect, file, newPublisher, signed, textOf, verdict } from './signed.ts'

const good = [
  'a b.js',
  'a#b.js',
  'a?b.js',
  'a%b.js',
  '100%.js',
  '\u{1f600}.js',
  'caf\u00e9.js',
  '\u05d0.js',
  'a&b=c;d.js',
  '"a".js',
  "'a'.js",
  '<a>.js',
  'a:b.js',
  '[a].js',
  '~a.js',
  '-a.js',
  '.a.js',
  'a|b^c`.js',
]
const bad = {
  NFD: 'cafe\u0301.js',
  'right-to-left mark': 'a\u200fb.js',
  'left-to-right mark': 'a\u200eb.js',
  'right-to-left override': 'a\u202egpj.js',
  isolate: 'a\u2066b.js',
  'Arabic letter mark': 'a\u061cb.js',
  'a control character': 'a\u0001.js',
  'a C1 control character': 'a\u0090.js',
  delete: 'a\u007f.js',
  backslash: 'a\\b.js',
}

attack(19, 'names with signs that mean something to somebody', { quick: true }, async () => {
  const publisher = await newPublisher()
  for (const name of good)
    assert.is(
      await verdict(await signed(textOf({ files: [file(name)] }), publisher), {
        keys: [publisher.key],
      }),
      'ok accepted',
      name,
    )
  // Each stays one file below the base, and no two share a URL.
  const urls = good.map((name) => new URL(pathToUrl(name, 'https://host/app/')))
  assert.is(new Set(urls.map(({ href }) => href)).size, good.length)
  for (const [at, { pathname, search, hash, host }] of urls.entries()) {
    assert.equal([search, hash, host], ['', '', 'host'], good[at])
    assert.is(decodeURIComponent(pathname), `/app/${good[at]}`)
  }
  return 'ok each is one file with one URL'
})

attack(
  19,
  'names that do not look like what they are',
  { variants: Object.keys(bad), quick: true },
  async (variant) => {
    const publisher = await newPublisher()
    const name = bad[variant as keyof typeof bad]
    const bytes = await signed(textOf({ files: [file(name)] }), publisher)
    return expect(await verdict(bytes, { keys: [publisher.key] }), 'MANIFEST_INVALID')
  },
)

attacks.run()
