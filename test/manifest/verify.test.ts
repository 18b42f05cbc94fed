import '../crypto/define.ts'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { base64, utf8, type Bytes } from '../../src/crypto/bytes.ts'
import type { TrustedKey, Verifier } from '../../src/crypto/key.ts'
import { nodeCrypto } from '../../src/crypto/node.ts'
import { webCrypto } from '../../src/crypto/webcrypto.ts'
import { generateKey } from '../../src/keys/generate.ts'
import { loadSigner } from '../../src/keys/private.ts'
import { formatManifest } from '../../src/manifest/format.ts'
import { storeManifest, type Signer } from '../../src/manifest/sign.ts'
import { splitManifest, verifyManifest, type Trust } from '../../src/manifest/verify.ts'
import { kinds, madeSigner } from '../keys/made.ts'
import { throwsCode } from '../support/throws.ts'
import { sample, stored } from './sample.ts'

const text = formatManifest(sample())
const newSigner = async (): Promise<Signer> => loadSigner(await generateKey('ed25519'))
const [one, two, stranger] = await Promise.all([newSigner(), newSigner(), newSigner()])

const trust = (changes: Partial<Trust> = {}): Trust => ({
  keys: [one.key],
  threshold: 1,
  name: 'shop',
  ...changes,
})

const verify = (bytes: Uint8Array, changes?: Partial<Trust>, verifier: Verifier = nodeCrypto) =>
  verifyManifest(bytes, trust(changes), verifier)

/** Asserts a refusal; of an unreadable line, with its number. */
async function refused(
  code: string,
  bytes: Uint8Array,
  changes: Partial<Trust> = {},
  line?: number,
) {
  const error = await throwsCode(() => verify(bytes, changes), `ERR_SIGNEDIMP_${code}`)
  if (line !== undefined) assert.match(error.message, new RegExp(`\\bline ${line}\\b`))
}

/** The sample, signed by `one`, whose header lines are changed: they end before the blank line. */
async function withHeader(change: (line: string) => string | string[]): Promise<Bytes> {
  const [line, ...rest] = Buffer.from(await stored(text, one))
    .toString()
    .split('\n')
  return utf8([change(line!), rest].flat(2).join('\n'))
}

/** A header line of any content, made as an attacker would. */
const lineOf = ({ fingerprint }: TrustedKey, scheme: string, signature: Uint8Array): string =>
  `${fingerprint} ${base64(Uint8Array.from([...utf8(scheme), ...signature]))}`

const honest = await stored(text, one)

test('a manifest signed by a trusted key is read', async () => {
  assert.equal(await verify(honest), sample())
})

for (const kind of kinds)
  test(`a manifest signed with ${kind} is read in tools and in pages, and refused with a file more`, async () => {
    const signer = await madeSigner(kind)
    const bytes = await stored(text, signer)
    const longer = Uint8Array.from([...bytes, ...utf8(`\n${'0'.repeat(64)} zz.js`)])
    for (const verifier of [nodeCrypto, webCrypto]) {
      assert.equal(await verify(bytes, { keys: [signer.key] }, verifier), sample())
      await throwsCode(
        () => verify(longer, { keys: [signer.key] }, verifier),
        'ERR_SIGNEDIMP_SIGNATURE',
      )
    }
  })

test('what is signed are the bytes after the first blank line, as stored', async () => {
  const { signatures, signedText } = splitManifest(honest)
  assert.is(Buffer.from(signedText).toString(), text)
  assert.equal(
    signatures.map(({ fingerprint, scheme }) => [fingerprint, scheme]),
    [[one.key.fingerprint, 'ed25519']],
  )
  assert.equal(storeManifest(signatures, signedText), honest)
})

// What a host may send in a manifest's place.
for (const [what, code, bytes] of [
  ['nothing', 'MANIFEST_INVALID', ''],
  ['a line end: no signature, and no text', 'SIGNATURE', '\n'],
  ['an error page', 'MANIFEST_INVALID', '<!doctype html>\n<title>404</title>'],
  ['an error page with a blank line', 'MANIFEST_INVALID', '<!doctype html>\n\n<title>404</title>'],
  ['the signed text alone', 'MANIFEST_INVALID', text],
  ['the signed text after a blank line, all signatures stripped', 'SIGNATURE', `\n${text}`],
  ['two blank lines', 'SIGNATURE', `\n\n${text}`],
] as const)
  test(`refused in a manifest's place: ${what}`, () => refused(code, utf8(bytes)))

test('a manifest that is cut short anywhere is refused', async () => {
  const codes = new Set<string | undefined>()
  for (let length = 0; length < honest.length; length++) {
    const error = await verify(honest.subarray(0, length)).then(
      () => ({ code: `none at ${length}` }),
      (caught: { code?: string }) => caught,
    )
    codes.add(error.code)
  }
  assert.equal([...codes].sort(), ['ERR_SIGNEDIMP_MANIFEST_INVALID', 'ERR_SIGNEDIMP_SIGNATURE'])
})

// The header is not signed: it has one spelling, or an attacker could hide something in it.
const headers: [what: string, line: number, change: (line: string) => string | string[]][] = [
  ['a comment', 1, (line) => ['# signed', line]],
  ['a third word', 1, (line) => `${line} x`],
  ['a space at the end', 1, (line) => `${line} `],
  ['two spaces', 1, (line) => line.replace(' ', '  ')],
  ['a tab', 1, (line) => line.replace(' ', '\t')],
  ['no space', 1, (line) => line.replace(' ', '')],
  ['CRLF', 1, (line) => `${line}\r`],
  ['a NUL', 1, (line) => `${line}\0`],
  ['a form feed', 1, (line) => `${line}\f`],
  ['a byte order mark', 1, (line) => `\ufeff${line}`],
  ['a fingerprint alone', 1, (line) => line.slice(0, 64)],
  ['a fingerprint in upper case', 1, (line) => line.slice(0, 64).toUpperCase() + line.slice(64)],
  ['a fingerprint with a digit less', 1, (line) => line.slice(1)],
  ['a fingerprint with a digit more', 1, (line) => `0${line}`],
  [
    'base64 without its padding',
    1,
    (line) => [lineOf(stranger.key, 'x:', utf8('yz')).replace(/=+$/, ''), line],
  ],
  ['base64 with more padding', 1, (line) => `${line}=`],
  ['base64 of the URL alphabet', 1, (line) => `${line.slice(0, -4)}-_-_`],
  [
    'base64 with bits after the last byte',
    1,
    (line) => [lineOf(stranger.key, 'x:', utf8('y')).replace(/.$/, 'B='), line],
  ],
  ['nothing for base64', 1, (line) => `${line.slice(0, 64)} `],
  ['base64 that is no base64', 1, (line) => `${line.slice(0, 64)} !!!!`],
  ['text that is no ASCII', 1, (line) => `${line.slice(0, 64)} ключ`],
  ['the last of several lines', 3, (line) => [line, line, `${line}\t`]],
  ['an unknown key’s line that is malformed', 2, (line) => [line, `${stranger.key.fingerprint} *`]],
  ['no scheme', 1, (line) => [lineOf(stranger.key, '', utf8('nocolon')), line]],
  ['an empty scheme', 1, (line) => [lineOf(stranger.key, ':', utf8('x')), line]],
  ['a scheme with a line end', 1, (line) => [lineOf(stranger.key, 'a\n:', utf8('x')), line]],
  [
    'a scheme that is no text',
    1,
    (line) => [lineOf(stranger.key, '', Uint8Array.of(255, 58, 1)), line],
  ],
]
for (const [what, line, change] of headers)
  test(`a header with ${what} is refused at line ${line}: it has one spelling`, async () =>
    refused('MANIFEST_INVALID', await withHeader(change), {}, line))

test('UTF-16 is refused: there is no blank line in it', async () => {
  const le = Buffer.from(Buffer.from(honest).toString(), 'utf16le')
  await refused('MANIFEST_INVALID', le)
  await refused('MANIFEST_INVALID', Buffer.concat([Buffer.of(0xff, 0xfe), le]))
})

test('CRLF throughout, as a transfer in text mode makes it, is refused', async () =>
  refused('MANIFEST_INVALID', utf8(Buffer.from(honest).toString().replaceAll('\n', '\r\n'))))

// Who signed.
test('signatures of unknown keys alone are refused, however many', async () => {
  await refused('SIGNATURE', await stored(text, stranger))
  await refused('SIGNATURE', await stored(text, two, stranger))
})

test('the line of an unknown key does no harm, before or after, right or wrong, in a scheme of later days', async () => {
  const strange = lineOf(stranger.key, 'ml-dsa-65:', utf8('anything'))
  for (const bytes of [
    await stored(text, stranger, one),
    await stored(text, one, stranger),
    await withHeader((line) => [strange, line, strange]),
  ])
    assert.equal(await verify(bytes), sample())
})

test('the line of an unknown key does not count', async () =>
  refused('SIGNATURE', await stored(text, one, stranger), {
    keys: [one.key, two.key],
    threshold: 2,
  }))

test('one good and one wrong signature by two trusted keys are refused: one of them did not sign this', async () => {
  const other = splitManifest(await stored(`${text} `, two)).signatures
  const { signatures, signedText } = splitManifest(honest)
  const keys = [one.key, two.key]
  await refused('SIGNATURE', storeManifest([...signatures, ...other], signedText), { keys })
  await refused('SIGNATURE', storeManifest([...other, ...signatures], signedText), { keys })
})

test('a second, wrong signature by the key that signed is refused', async () => {
  const wrong = splitManifest(await stored(`${text} `, one)).signatures
  const { signatures, signedText } = splitManifest(honest)
  await refused('SIGNATURE', storeManifest([...signatures, ...wrong], signedText))
})

test('two keys make a threshold of two; without one of them, or of three, the manifest is refused', async () => {
  const both = await stored(text, one, two)
  const keys = [one.key, two.key]
  assert.equal(await verify(both, { keys, threshold: 2 }), sample())
  await refused('SIGNATURE', honest, { keys, threshold: 2 })
  await refused('SIGNATURE', both, { keys: [...keys, stranger.key], threshold: 3 })
})

test('one key that signed twice counts once', async () => {
  const twice = await stored(text, one, one)
  assert.equal(await verify(twice), sample())
  await refused('SIGNATURE', twice, { keys: [one.key, two.key], threshold: 2 })
})

test('one key that is pinned twice counts once', async () =>
  refused('SIGNATURE', await stored(text, one, one), { keys: [one.key, one.key], threshold: 2 }))

test('one ECDSA key that signed twice, each time anew, counts once', async () => {
  const { key, sign } = await madeSigner('ecdsa-p256')
  await refused('SIGNATURE', await stored(text, { key, sign }, { key, sign }), {
    keys: [key, one.key],
    threshold: 2,
  })
})

test('a threshold that is no number is never reached', async () =>
  refused('SIGNATURE', honest, { threshold: Number.NaN }))

test('without a trusted key nothing is accepted', async () =>
  refused('SIGNATURE', honest, { keys: [] }))

// The scheme: the key's, and no other.
for (const scheme of [
  'ed25519',
  'pss-sha256',
  'pss-sha512',
  'ecdsa-p256-sha256',
  'raw',
  'none',
  'hs256',
  'pss-sha1',
  'pss-sha2567',
  'toString',
  '__proto__',
])
  for (const kind of kinds)
    test(`a signature by ${kind} under the scheme ${scheme} is refused, unless it is the key’s own`, async () => {
      const { key, sign } = await madeSigner(kind)
      const signature = await sign(utf8(text))
      const bytes = utf8(`${lineOf(key, `${scheme}:`, signature)}\n\n${text}`)
      if (scheme === key.scheme) assert.equal(await verify(bytes, { keys: [key] }), sample())
      // An underscore or a capital letter is in no scheme's name.
      else
        await refused(/^[a-z\d-]+$/.test(scheme) ? 'SIGNATURE' : 'MANIFEST_INVALID', bytes, {
          keys: [key],
        })
    })

test('the header may have any number of signatures without taking any longer than its length', async () => {
  const strange = lineOf(stranger.key, 'x:', new Uint8Array(64))
  const start = performance.now()
  assert.equal(
    await verify(await withHeader((line) => [Array<string>(40_000).fill(strange), line].flat())),
    sample(),
  )
  await refused('MANIFEST_INVALID', utf8('a'.repeat(8_000_000)))
  await refused('MANIFEST_INVALID', utf8(`${one.key.fingerprint} ${'A'.repeat(8_000_000)}\n\n`))
  assert.ok(performance.now() - start < 30_000)
})

// The order of checks.
test('a text that nobody signed is not read at all', async () => {
  await refused('SIGNATURE', await stored('no manifest', stranger))
  await refused('MANIFEST_INVALID', await stored('no manifest', one), {}, 3)
})

test('a text of more lines than allowed is refused though it is signed', async () => {
  assert.equal(await verify(honest, { maxLines: 9 }), sample())
  await refused('MANIFEST_INVALID', honest, { maxLines: 8 }, 11)
})

// What it is for.
test('the manifest of another app or channel is refused though the same key signed it', async () => {
  for (const name of ['Shop', 'shop ', 'shop/beta', 'sho', ''])
    await refused('NAME', honest, { name })
  assert.equal(await verify(honest, { name: undefined }), sample())
})

for (const [lowest, accepted] of [
  [0, true],
  [40, true],
  [41, true],
  [42, false],
  [Number.MAX_SAFE_INTEGER, false],
  [Infinity, false],
  [Number.NaN, false],
] as const)
  test(`build 41 is ${accepted ? 'accepted' : 'refused'} where ${lowest} is the lowest: an old release is not played back`, async () => {
    if (accepted) assert.equal(await verify(honest, { build: lowest }), sample())
    else await refused('ROLLBACK', honest, { build: lowest })
  })

test('a manifest without a build is refused where a page asks for one, if only for 0', async () => {
  const { build: _, ...rest } = sample()
  const bytes = await stored(formatManifest(rest), one)
  await refused('ROLLBACK', bytes, { build: 0 })
  assert.is((await verify(bytes)).build, undefined)
})

test('the highest build that counts is 2^53 - 1; 2^53 is refused though it is signed', async () => {
  const highest = sample({ build: Number.MAX_SAFE_INTEGER })
  assert.equal(
    await verify(await stored(formatManifest(highest), one), { build: Number.MAX_SAFE_INTEGER }),
    highest,
  )
  const higher = formatManifest(sample({ build: 2 ** 53 }))
  await refused('MANIFEST_INVALID', await stored(higher, one), {}, 6)
})

/** Runs `work` at another time. */
async function at(time: string, work: () => Promise<unknown>): Promise<void> {
  const { now } = Date
  Date.now = () => Date.parse(time)
  try {
    await work()
  } finally {
    Date.now = now
  }
}

test('a manifest is refused from the moment at which it expires', async () => {
  const expiring = sample({ expires: '2027-02-01T00:00:00Z' })
  const bytes = await stored(formatManifest(expiring), one)
  await at('2027-01-31T23:59:59.999Z', async () => assert.equal(await verify(bytes), expiring))
  await at('2027-02-01T00:00:00Z', () => refused('EXPIRED', bytes))
  await at('2028-01-01T00:00:00Z', () => refused('EXPIRED', bytes))
  await at('no time', () => refused('EXPIRED', bytes))
})

test('a manifest without an expiry does not expire', async () => {
  const { expires: _, ...rest } = sample()
  const bytes = await stored(formatManifest(rest), one)
  await at('9999-01-01T00:00:00Z', async () => assert.is((await verify(bytes)).expires, undefined))
})

test.run()
