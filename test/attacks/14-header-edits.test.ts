import * as assert from 'uvu/assert'
import { attack, attacks } from '../support/attack.ts'
import {
  expect,
  newPublisher,
  signaturesOf,
  lineOf,
  textOf,
  verdict,
  withHeader,
} from './signed.ts'

type Edit = (line: string) => string

/** The header is not signed: whatever it says, it must not make the reader see another text, or other signers. */
const edits: Record<string, [edit: Edit, code: string]> = {
  'a blank line first': [(line) => '\n' + line, 'SIGNATURE'],
  'two blank lines': [(line) => line + '\n', 'SIGNATURE'],
  'a comment': [(line) => '# hello\n' + line, 'MANIFEST_INVALID'],
  'a directive': [(line) => '# name: shop\n' + line, 'MANIFEST_INVALID'],
  'a hash type': [(line) => line + 'sha256\n', 'MANIFEST_INVALID'],
  'a file': [(line) => line + 'ab'.repeat(32) + ' evil.js\n', 'MANIFEST_INVALID'],
  'a tab as separator': [(line) => line.replace(' ', '\t'), 'MANIFEST_INVALID'],
  'two spaces': [(line) => line.replace(' ', '  '), 'MANIFEST_INVALID'],
  'a space before': [(line) => ' ' + line, 'MANIFEST_INVALID'],
  'a space behind': [(line) => line.replace('\n', ' \n'), 'MANIFEST_INVALID'],
  'a line that is only spaces': [(line) => line + '  \n', 'MANIFEST_INVALID'],
  'a fingerprint in capitals': [
    (line) => line.slice(0, 64).toUpperCase() + line.slice(64),
    'MANIFEST_INVALID',
  ],
  'a shorter fingerprint': [(line) => line.slice(1), 'MANIFEST_INVALID'],
  'a longer fingerprint': [(line) => '0' + line, 'MANIFEST_INVALID'],
  CRLF: [(line) => line.replace('\n', '\r\n'), 'MANIFEST_INVALID'],
  'no header': [() => '', 'SIGNATURE'],
}

attack(
  14,
  'edits in the header, which is not signed',
  { variants: Object.keys(edits), quick: true },
  async (variant) => {
    const publisher = await newPublisher()
    const [{ fingerprint, scheme, signature }] = (await signaturesOf(textOf(), publisher)) as [
      never,
    ]
    const line = lineOf(fingerprint, scheme, signature)
    const [edit, code] = edits[variant]!
    const trust = { keys: [publisher.key] }
    assert.is(await verdict(withHeader(line, textOf()), trust), 'ok accepted')
    const edited = edit(line)
    // A capital or a digit more may leave the line as it was.
    assert.is.not(edited, line)
    return expect(await verdict(withHeader(edited, textOf()), trust), code)
  },
)

attack(14, 'signature lines in another order', { quick: true }, async () => {
  const [one, two] = [await newPublisher(), await newPublisher('rsa-pss')]
  const lines = (await signaturesOf(textOf(), one, two)).map((line) =>
    lineOf(line.fingerprint, line.scheme, line.signature),
  )
  const trust = { keys: [one.key, two.key], threshold: 2 }
  for (const header of [lines.join(''), lines.reverse().join('')])
    assert.is(await verdict(withHeader(header, textOf()), trust), 'ok accepted')
  return 'ok the order of signatures says nothing'
})

attacks.run()
