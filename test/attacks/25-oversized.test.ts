import * as assert from 'uvu/assert'
import { attack, attacks } from '../support/attack.ts'
import {
  bytesOf,
  expect,
  file,
  lineOf,
  newPublisher,
  signaturesOf,
  signed,
  textOf,
  verdict,
  withHeader,
} from './signed.ts'

// A page reads no more than 8 MiB and 65,536 lines; what it can be made to do with them must end soon.
const mebibyte = 2 ** 20
const maxLines = 2 ** 16

const manifests: Record<
  string,
  [make: () => Promise<[bytes: Uint8Array, keys: never[]]>, code: string]
> = {
  'one endless line': [async () => [Buffer.alloc(8 * mebibyte, 'a'), []], 'MANIFEST_INVALID'],
  'nothing but line breaks': [async () => [Buffer.alloc(8 * mebibyte, '\n'), []], 'SIGNATURE'],
  'one endless signature': [
    async () => [withHeader(lineOf('a'.repeat(64), 'x', Buffer.alloc(5 * mebibyte)), textOf()), []],
    'SIGNATURE',
  ],
  'signatures of unknown keys': [
    async () => [
      withHeader(lineOf('a'.repeat(64), 'x', Buffer.alloc(64)).repeat(40_000), textOf()),
      [],
    ],
    'SIGNATURE',
  ],
  'lines that are no signatures': [
    async () => [withHeader('a\n'.repeat(4 * mebibyte), textOf()), []],
    'MANIFEST_INVALID',
  ],
  'a signed text of a million lines': [
    async () => {
      const publisher = await newPublisher()
      const files = Array.from({ length: 110_000 }, (_, n) => file(String(n).padStart(7, '0')))
      return [await signed(textOf({ files }), publisher), [publisher.key] as never]
    },
    'MANIFEST_INVALID',
  ],
  'a signed line of a million imports': [
    async () => {
      const publisher = await newPublisher()
      const list = Array.from({ length: 400_000 }, (_, n) => `${n}-${n + 1} b`).join('\t')
      return [
        await signed(
          textOf({
            directives: ['# signedimp: 1', '# name: shop', `# import: a\t${list}`],
            files: [file('a')],
          }),
          publisher,
        ),
        [publisher.key] as never,
      ]
    },
    'MANIFEST_INVALID',
  ],
}

attack(25, 'an oversized manifest', { variants: Object.keys(manifests) }, async (variant) => {
  const [make, code] = manifests[variant]!
  const [bytes, keys] = await make()
  const start = performance.now()
  const stranger = await newPublisher()
  const outcome = expect(
    await verdict(bytes, { keys: keys.length ? keys : [stranger.key], maxLines }),
    code,
  )
  const seconds = (performance.now() - start) / 1000
  assert.ok(seconds < 20, `${seconds} s`)
  return outcome
})

attack(25, 'one good signature, thousands of times', {}, async () => {
  const publisher = await newPublisher()
  const [{ fingerprint, scheme, signature }] = (await signaturesOf(textOf(), publisher)) as [never]
  const bytes = withHeader(lineOf(fingerprint, scheme, signature).repeat(5_000), textOf())
  assert.ok(bytes.length < 8 * mebibyte)
  const start = performance.now()
  const outcome = await verdict(bytes, { keys: [publisher.key], maxLines })
  const seconds = (performance.now() - start) / 1000
  assert.ok(seconds < 30, `${seconds} s`)
  return outcome === 'ok accepted' ? `ok accepted after 5,000 checks` : outcome
})

attack(25, 'a path that makes regular expressions backtrack', {}, async () => {
  const publisher = await newPublisher()
  for (const path of [
    'a/'.repeat(200_000) + '.',
    '.'.repeat(400_000),
    '/'.repeat(400_000),
    '%'.repeat(400_000),
    '\u0301'.repeat(200_000),
  ]) {
    const start = performance.now()
    await verdict(await signed(textOf({ files: [file(path)] }), publisher), {
      keys: [publisher.key],
    })
    assert.ok(performance.now() - start < 5000)
  }
  assert.ok(bytesOf('x'))
  return 'ok each is judged at once'
})

attacks.run()
