import * as assert from 'uvu/assert'
import { pathToUrl } from '../../src/manifest/path.ts'
import { attack, attacks } from '../support/attack.ts'
import { expect, file, newPublisher, signed, textOf, verdict } from './signed.ts'

const texts: Record<string, string> = {
  CRLF: textOf().replaceAll('\n', '\r\n'),
  'CRLF in one line': textOf().replace('\n', '\r\n'),
  CR: textOf().replaceAll('\n', '\r'),
  'a line break at the end': textOf() + '\n',
  'a blank line in the middle': textOf().replace('# name', '\n# name'),
  'a blank line before the files': textOf({ files: ['', file('a.js')] }),
  'a space behind the hash type': textOf({ hash: 'sha256 ' }),
  'a tab for a space': textOf({ files: [file('a.js').replace(' ', '\t')] }),
  'a space before the hash': textOf({ files: [' ' + file('a.js')] }),
  'a space behind a path': textOf({ files: [file('a.js ')] }),
  NUL: textOf({ files: [file('a.js\0')] }),
  'NUL in front': '\0' + textOf(),
  'form feed': textOf({ files: [file('a\f.js')] }),
  'a vertical tab': textOf({ files: [file('a\v.js')] }),
  'a line separator': textOf({ files: [file('a\u2028.js')] }),
  'a next line character': textOf({ files: [file('a\u0085.js')] }),
  'a byte order mark in a path': textOf({ files: [file('\ufeffa.js')] }),
  'no spaces in a directive': textOf({ directives: ['#signedimp:1', '#name:shop'] }),
  'spaces behind a directive': textOf({ directives: ['# signedimp: 1 ', '# name: shop'] }),
}

attack(
  17,
  'white space and line breaks of another kind',
  { variants: Object.keys(texts), quick: true },
  async (variant) => {
    const publisher = await newPublisher()
    const bytes = await signed(texts[variant]!, publisher)
    return expect(await verdict(bytes, { keys: [publisher.key] }), 'MANIFEST_INVALID')
  },
)

attack(17, 'two spaces, as sha256sum writes them', { quick: true }, async () => {
  const publisher = await newPublisher()
  const bytes = await signed(textOf({ files: [file(' a.js')] }), publisher)
  assert.is(await verdict(bytes, { keys: [publisher.key] }), 'ok accepted')
  assert.is(pathToUrl(' a.js', 'https://host/'), 'https://host/%20a.js')
  return 'ok the second space is the first of the name'
})

attacks.run()
