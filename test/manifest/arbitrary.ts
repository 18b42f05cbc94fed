import fc from 'fast-check'
import { hashTypes } from '../../src/crypto/algorithms.ts'
import type { Manifest } from '../../src/manifest/format.ts'
import { isPath, isSafeText } from '../../src/manifest/path.ts'

const odd = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '0',
  '...',
  ' a',
  'a b',
  '#',
  '?v=2',
  '%2e%2e',
  '%252F',
  '~',
  '\uff5e',
  '\u{10000}',
  '\u{1f600}\u200d',
  '\u05e9\u05dc\u05d5\u05dd',
  'é',
  '[id]',
  '# name: x',
  'sha256',
]

// Grapheme clusters, any code points, ASCII: what is no path is filtered out below.
const aText = fc.oneof(
  fc.constantFrom(...odd),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 4 }),
  fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 8 }),
)

/** Any path, odd ones often. */
export const aPath: fc.Arbitrary<string> = fc
  .array(aText, { minLength: 1, maxLength: 3 })
  .map((segments) => segments.join('/').normalize())
  .filter(isPath)

const anInstant = fc
  .date({
    min: new Date('0000-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59Z'),
    noInvalidDate: true,
  })
  .map((date) => date.toISOString().replace(/\.\d+/, ''))

const aPlace = fc.nat(999_999_998)

const hexOf = (digits: number) =>
  fc
    .uint8Array({ minLength: digits / 2, maxLength: digits / 2 })
    .map((bytes) => Buffer.from(bytes).toString('hex'))

/** Any manifest that a build could write. */
export const aManifest: fc.Arbitrary<Manifest> = fc
  .tuple(fc.constantFrom(...hashTypes), fc.uniqueArray(aPath, { minLength: 1, maxLength: 12 }))
  .chain(([hash, paths]) => {
    const anImport = fc
      .tuple(aPlace, aPlace, fc.constantFrom(...paths))
      .map(([start, end, path]) => ({ start, end: end + 1, path }))
    const files = fc.tuple(
      ...paths.map((path) => fc.tuple(fc.constant(path), hexOf(+hash.slice(3) / 4))),
    )
    const imports = fc.uniqueArray(
      fc.tuple(fc.constantFrom(...paths), fc.array(anImport, { minLength: 1, maxLength: 4 })),
      { selector: ([path]) => path, maxLength: 4 },
    )
    return fc.record(
      {
        hash: fc.constant(hash),
        name: aText.map((text) => text.normalize()).filter(isSafeText),
        build: fc.maxSafeNat(),
        expires: anInstant,
        imports: imports.map((entries) => new Map(entries)),
        files: files.map((entries) => new Map(entries)),
      },
      { requiredKeys: ['hash', 'name', 'imports', 'files'], noNullPrototype: true },
    )
  })
