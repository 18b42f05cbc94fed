import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hashTypes } from '../../src/crypto/algorithms.ts'
import { utf8 } from '../../src/crypto/bytes.ts'
import {
  formatManifest,
  isInstant,
  parseManifest,
  type Manifest,
} from '../../src/manifest/format.ts'
import { anEdit, edited } from '../crypto/edits.ts'
import { throwsCode } from '../support/throws.ts'
import { aManifest } from './arbitrary.ts'
import { sample, sampleLines } from './sample.ts'

const parse = (text: string | Uint8Array, firstLine = 1, maxLines?: number): Manifest =>
  parseManifest(typeof text === 'string' ? utf8(text) : text, firstLine, maxLines)

/** Asserts that a text is refused, with the number of the line where reading stops. */
async function refusedAt(
  line: number,
  text: string | Uint8Array,
  firstLine?: number,
  maxLines?: number,
) {
  const error = await throwsCode(
    () => parse(text, firstLine, maxLines),
    'ERR_SIGNEDIMP_MANIFEST_INVALID',
  )
  assert.match(error.message, new RegExp(`\\bline ${line}\\b`))
}

const lines = sampleLines()
// The sample's lines, by what they are; 1 is the first.
const [hash, version, name, build, expires, imports, ...files] = lines as [
  string,
  string,
  string,
  string,
  string,
  string,
  ...string[],
]
const [file, ...moreFiles] = files as [string, ...string[]]
const text = (...parts: (string | string[])[]): string => parts.flat().join('\n')
const digest = file.slice(0, 64)

test('the sample is what the rest of this file edits', () => {
  assert.equal(
    lines.map((line) => line.slice(0, 11)),
    [
      'sha256',
      '# signedimp',
      '# name: sho',
      '# build: 41',
      '# expires: ',
      '# import: a',
      ...files.map((line) => line.slice(0, 11)),
    ],
  )
  assert.is(files.length, 3)
  assert.equal(parse(text(lines)), sample())
})

test('the least that a manifest can be: a hash type, the version, a name', () => {
  const manifest = parse(text(hash, version, name))
  assert.equal(manifest, { hash: 'sha256', name: 'shop', imports: new Map(), files: new Map() })
})

test('what is written is read as it was, and written again gives the same bytes', () => {
  fc.assert(
    fc.property(aManifest, (manifest) => {
      const written = formatManifest(manifest)
      const read = parse(written)
      const sorted = (map: Map<string, unknown>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1))
      assert.equal(
        { ...read, imports: sorted(read.imports), files: sorted(read.files) },
        { ...manifest, imports: sorted(manifest.imports), files: sorted(manifest.files) },
      )
      assert.is(formatManifest(read), written)
    }),
    { numRuns: 500 },
  )
})

test('the order in which files are found does not show: same files, same bytes, a build that can be repeated', () => {
  fc.assert(
    fc.property(aManifest, (manifest) => {
      const reversed = { ...manifest, files: new Map([...manifest.files].reverse()) }
      assert.is(formatManifest(reversed), formatManifest(manifest))
    }),
  )
})

test('no text is read that is not the one spelling of what it says: every edit is refused, or says something else', () => {
  let refused = 0
  fc.assert(
    fc.property(aManifest, anEdit, (manifest, edit) => {
      const bytes = edited(utf8(formatManifest(manifest)), edit)
      let read: Manifest
      try {
        read = parse(bytes)
      } catch (error) {
        assert.is((error as { code?: string }).code, 'ERR_SIGNEDIMP_MANIFEST_INVALID')
        refused++
        return
      }
      assert.equal(utf8(formatManifest(read)), bytes)
    }),
    { numRuns: 5000 },
  )
  assert.ok(refused > 1000, `only ${refused} of 5000 edits were refused`)
})

test('names of Object.prototype are files like others, and those that are not listed are not there', () => {
  const odd = ['__proto__', 'constructor', 'hasOwnProperty', 'toString']
  const read = parse(
    text(
      hash,
      version,
      name,
      odd.map((path) => `${digest} ${path}`),
    ),
  )
  assert.equal([...read.files.keys()], odd)
  assert.is(read.files.get('__proto__'), digest)
  assert.is(parse(text(hash, version, name)).files.get('constructor'), undefined)
})

test('a name may read like another line: its directive is what it is', () => {
  for (const odd of ['sha256', '# build: 1', '__proto__', ' x ', 'a: b'])
    assert.is(parse(text(hash, version, `# name: ${odd}`)).name, odd)
})

for (const type of hashTypes) {
  const digits = +type.slice(3) / 4
  test(`a ${type} has ${digits} lower-case digits: one more or less, upper case or another letter is refused`, async () => {
    const good = 'ab'.repeat(digits / 2)
    assert.is(parse(text(type, version, name, `${good} a`)).files.get('a'), good)
    const wrong = [
      good.slice(1),
      `${good}0`,
      good.slice(2),
      good.toUpperCase(),
      `g${good.slice(1)}`,
    ]
    for (const bad of [...wrong, `0x${good.slice(2)}`, ''])
      await refusedAt(4, text(type, version, name, `${bad} a`))
  })
}

for (const [what, first] of [
  ['an original manifest of SHA-1', 'sha1'],
  ['MD5', 'md5'],
  ['a checksum', 'crc32'],
  ['a hash of another family', 'sha3-256'],
  ['another spelling, which SRI accepts', 'SHA256'],
  ['another spelling, which WebCrypto accepts', 'SHA-256'],
  ['nothing', ''],
  ['a name of Object.prototype', 'constructor'],
  ['a space after it', 'sha256 '],
  ['two of them', 'sha256 sha512'],
  ['a byte order mark before it, which an editor adds unseen', '\ufeffsha256'],
] as const)
  test(`hash type, ${what}: refused, since an unknown one would check nothing`, () =>
    refusedAt(1, text(first, lines.slice(1))))

const cases: [why: string, line: number, lines: (string | string[])[]][] = [
  // What must be there.
  ['no version: a later format could mean something else', 2, [hash, lines.slice(2)]],
  ['a later version', 2, [hash, '# signedimp: 2', lines.slice(2)]],
  ['a version that only begins with 1', 2, [hash, '# signedimp: 1.1', lines.slice(2)]],
  ['no name: the manifest of another app would do', 3, [hash, version, lines.slice(3)]],
  ['an empty name', 3, [hash, version, '# name: ', lines.slice(3)]],
  [
    'a name in another normal form, which looks the same',
    3,
    [hash, version, '# name: Ka\u0308se', lines.slice(3)],
  ],
  [
    'a name with a mark that turns the direction of text',
    3,
    [hash, version, '# name: \u202epohs', lines.slice(3)],
  ],
  ['a name with a NUL', 3, [hash, version, '# name: shop\0', lines.slice(3)]],
  ['a text that ends after its hash type', 2, [hash]],
  ['a text that ends before its name', 3, [hash, version]],
  ['nothing at all', 1, ['']],
  // Each directive once, in its place.
  [
    'a second name: readers could take the first or the last',
    4,
    [hash, version, name, '# name: other', lines.slice(3)],
  ],
  ['a second build', 5, [lines.slice(0, 4), '# build: 42', lines.slice(4)]],
  ['a second expiry', 6, [lines.slice(0, 5), '# expires: 2999-01-01T00:00:00Z', lines.slice(5)]],
  ['a second version', 3, [hash, version, version, lines.slice(2)]],
  ['a second hash type', 2, [hash, hash, lines.slice(1)]],
  ['a name before the version', 2, [hash, name, version, lines.slice(3)]],
  ['an expiry before the build', 5, [hash, version, name, expires, build, imports, files]],
  ['an import before the expiry', 6, [hash, version, name, build, imports, expires, files]],
  ['a name after the files, where few would look', 10, [lines, name]],
  ['a build after the files', 10, [lines, build]],
  ['an import after the files', 10, [lines, imports]],
  [
    'a directive that nobody knows: it may forbid something',
    4,
    [hash, version, name, '# revoked: yes', lines.slice(3)],
  ],
  ['a directive in other letters', 4, [hash, version, name, '# Build: 41', lines.slice(4)]],
  ['a directive without its space', 4, [hash, version, name, '#build: 41', lines.slice(4)]],
  ['a directive with a second space', 4, [hash, version, name, '# build:  41', lines.slice(4)]],
  ['a comment', 4, [hash, version, name, '# ', lines.slice(3)]],
  // Numbers and dates.
  [
    'a build of 2^53, after which counting stops',
    4,
    [hash, version, name, '# build: 9007199254740992', files],
  ],
  ['a build that would be rounded', 4, [hash, version, name, '# build: 9007199254740993', files]],
  ['a build beyond all numbers', 4, [hash, version, name, `# build: ${'9'.repeat(400)}`, files]],
  ['a build with a leading zero', 4, [hash, version, name, '# build: 041', files]],
  ['a negative build', 4, [hash, version, name, '# build: -1', files]],
  ['a build with a sign', 4, [hash, version, name, '# build: +41', files]],
  ['a build with a fraction', 4, [hash, version, name, '# build: 41.0', files]],
  ['a build in hexadecimal', 4, [hash, version, name, '# build: 0x29', files]],
  ['a build with an exponent', 4, [hash, version, name, '# build: 4e1', files]],
  ['a build in other digits', 4, [hash, version, name, '# build: ٤١', files]],
  ['no number for a build', 4, [hash, version, name, '# build: ', files]],
  ['a day that is none', 4, [hash, version, name, '# expires: 2999-02-30T00:00:00Z', files]],
  ['an hour that is none', 4, [hash, version, name, '# expires: 2999-02-01T25:00:00Z', files]],
  ['midnight as the 24th hour', 4, [hash, version, name, '# expires: 2999-02-01T24:00:00Z', files]],
  ['a date without its time', 4, [hash, version, name, '# expires: 2999-02-01', files]],
  ['a local time', 4, [hash, version, name, '# expires: 2999-02-01T00:00:00', files]],
  [
    'a time of another zone',
    4,
    [hash, version, name, '# expires: 2999-02-01T00:00:00+01:00', files],
  ],
  [
    'a fraction of a second',
    4,
    [hash, version, name, '# expires: 2999-02-01T00:00:00.000Z', files],
  ],
  ['a year of six digits', 4, [hash, version, name, '# expires: +002999-02-01T00:00Z', files]],
  [
    'a year of five digits, which has its own spelling',
    4,
    [hash, version, name, '# expires: +010000-01-01T00:00:00Z', files],
  ],
  [
    'a year before the first',
    4,
    [hash, version, name, '# expires: -000001-01-01T00:00:00Z', files],
  ],
  ['a number for a date', 4, [hash, version, name, '# expires: 32503680000', files]],
  [
    'a date that only Date.parse reads',
    4,
    [hash, version, name, '# expires: Fri, 01 Feb 2999 GMT', files],
  ],
  // Files.
  [
    'a file twice with two hashes: readers could take the first or the last',
    8,
    [lines.slice(0, 7), `${'0'.repeat(64)} ${file.slice(65)}`, moreFiles],
  ],
  ['a file twice with one hash', 8, [lines.slice(0, 7), file, moreFiles]],
  ['files that are not in order', 8, [lines.slice(0, 6), moreFiles[0]!, file, moreFiles[1]!]],
  [
    'files in the order of UTF-16 units instead of UTF-8 bytes',
    5,
    [hash, version, name, `${digest} \u{1f600}`, `${digest} \uff5e`],
  ],
  ['a path that leaves the base', 4, [hash, version, name, `${digest} ../a`]],
  ['a path from the root', 4, [hash, version, name, `${digest} /a`]],
  ['a path with a backslash', 4, [hash, version, name, `${digest} a\\b`]],
  ['a path with a space at its end', 4, [hash, version, name, `${digest} a `]],
  ['a path with a NUL', 4, [hash, version, name, `${digest} a\0b`]],
  ['a path in another normal form', 4, [hash, version, name, `${digest} u\u0308`]],
  ['a file without a path', 4, [hash, version, name, `${digest} `]],
  ['a hash alone', 4, [hash, version, name, digest]],
  ['a tab instead of the space', 4, [hash, version, name, `${digest}\ta`]],
  ['a space before the hash', 4, [hash, version, name, ` ${digest} a`]],
  ['the hash of the text another way round', 4, [hash, version, name, `a ${digest}`]],
  // Line ends.
  ['CRLF, which a transfer as text makes', 1, [lines.map((line) => `${line}\r`)]],
  ['one CRLF', 8, [lines.slice(0, 7), `${moreFiles[0]}\r`, moreFiles[1]!]],
  ["a form feed at a line's end", 8, [lines.slice(0, 7), `${moreFiles[0]}\f`, moreFiles[1]!]],
  ['a line end after the last line', 10, [lines, '']],
  ['a blank line between files', 8, [lines.slice(0, 7), '', moreFiles]],
  ['a blank line before the files', 4, [hash, version, name, '', files]],
  // Imports.
  [
    'an import that imports nothing',
    4,
    [hash, version, name, `# import: ${file.slice(65)}`, files],
  ],
  [
    'an import without a place',
    4,
    [hash, version, name, `# import: ${file.slice(65)}\t${file.slice(65)}`, files],
  ],
  [
    'an import with half a place',
    4,
    [hash, version, name, `# import: ${file.slice(65)}\t8- ${file.slice(65)}`, files],
  ],
  [
    'an import at a negative place',
    4,
    [hash, version, name, `# import: ${file.slice(65)}\t-8-9 ${file.slice(65)}`, files],
  ],
  [
    'an import at a place with a leading zero',
    4,
    [hash, version, name, `# import: ${file.slice(65)}\t08-22 ${file.slice(65)}`, files],
  ],
  [
    'an import at a place that would be rounded',
    4,
    [
      hash,
      version,
      name,
      `# import: ${file.slice(65)}\t8-9007199254740993 ${file.slice(65)}`,
      files,
    ],
  ],
  ['an import of nothing', 4, [hash, version, name, `# import: ${file.slice(65)}\t8-22 `, files]],
  [
    'an import with a tab at its end',
    4,
    [hash, version, name, `# import: ${file.slice(65)}\t8-22 ${file.slice(65)}\t`, files],
  ],
  [
    'spaces for tabs in an import',
    4,
    [hash, version, name, `# import: ${file.slice(65)} 8-22 ${file.slice(65)}`, files],
  ],
  ['a module whose imports are said twice', 7, [lines.slice(0, 6), imports, files]],
]

for (const [why, line, parts] of cases)
  test(`refused at line ${line}: ${why}`, () => refusedAt(line, text(...parts)))

test('an import of an unlisted file is refused: it would be code that nothing checks', async () => {
  const listed = moreFiles[0]!.slice(65)
  for (const [from, to] of [
    [listed, 'unlisted.js'],
    ['unlisted.js', listed],
    [listed, '../up.js'],
    [listed, '__proto__'],
  ])
    await throwsCode(
      () => parse(text(hash, version, name, `# import: ${from}\t8-22 ${to}`, files)),
      'ERR_SIGNEDIMP_MANIFEST_INVALID',
    )
})

for (const [what, bytes] of [
  ['a byte that is not UTF-8', [0xff]],
  ['a character that is cut short', [0xe2, 0x82]],
  ['an overlong slash, which slips past a check of the bytes', [0xc0, 0xaf]],
  ['a surrogate, as Java writes it', [0xed, 0xa0, 0x80]],
] as const)
  test(`${what} in a name, a path or an import is refused: it must not be read as something else`, async () => {
    const [before, after] = [utf8(text(hash, version, '# name: shop')), utf8(`\n${digest} a`)]
    await refusedAt(3, Uint8Array.from([...before, ...bytes, ...after]))
    await refusedAt(4, Uint8Array.from([...before, ...after, ...bytes]))
    const from = utf8('\n# import: a\t1-2 a')
    const imported = Uint8Array.from([...before, ...from, ...bytes, ...after])
    await throwsCode(() => parse(imported), 'ERR_SIGNEDIMP_MANIFEST_INVALID')
  })

test('UTF-16 is refused, with a mark or without: the bytes that are signed are not text', async () => {
  const le = Buffer.from(text(lines), 'utf16le')
  const be = Buffer.from(le).swap16()
  for (const bytes of [
    le,
    be,
    Buffer.concat([Buffer.of(0xff, 0xfe), le]),
    Buffer.concat([Buffer.of(0xfe, 0xff), be]),
  ])
    await refusedAt(1, bytes)
})

test('line numbers are those of the stored file, whose signatures come first', async () => {
  await refusedAt(7, text(hash, '# signedimp: 2'), 6)
  await refusedAt(6, text('md5'), 6)
  await refusedAt(13, text(lines.slice(0, 6), `${digest} /`), 7)
})

test('a text of as many lines as allowed is read, and one more is refused at that line', async () => {
  assert.is(parse(text(lines), 3, 9).files.size, 3)
  await refusedAt(11, text(lines), 3, 8)
  await refusedAt(1, text(lines), 1, 0)
})

test('many lines, long lines and long lists are answered in time that grows with their length, not with its square', async () => {
  const start = performance.now()
  await refusedAt(65_537, text(hash, version, name, manyFiles(200_000)), 1, 65_536)
  await refusedAt(4, text(hash, version, name, 'a'.repeat(8_000_000)))
  await refusedAt(4, text(hash, version, name, `${digest} ${'/'.repeat(4_000_000)}`))
  await refusedAt(4, text(hash, version, name, `# import: ${'a\t0-1 '.repeat(500_000)}`))
  await refusedAt(4, text(hash, version, name, `# import: a${'\t0-1 b'.repeat(500_000)}\t`))
  assert.ok(performance.now() - start < 30_000)
})

test('what is an instant', () => {
  for (const good of [
    '1970-01-01T00:00:00Z',
    '2024-02-29T23:59:59Z',
    '9999-12-31T23:59:59Z',
    '0000-01-01T00:00:00Z',
  ])
    assert.is(isInstant(good), true, good)
  for (const bad of [
    '',
    '2023-02-29T00:00:00Z',
    '2024-02-29t00:00:00Z',
    '2024-02-29 00:00:00Z',
    '2024-02-29T00:00:60Z',
    '2024-02-29T00:00:00z',
  ])
    assert.is(isInstant(bad), false, bad)
})

function manyFiles(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${digest} ${String(at).padStart(7, '0')}`)
}

test.run()
