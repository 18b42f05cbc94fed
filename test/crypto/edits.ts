import fc from 'fast-check'

/** A change of one byte: where (a share of the length), and what. */
export interface Edit {
  kind: 'substitute' | 'delete' | 'insert'
  place: number
  byte: number
}

/** Any {@link Edit}; bytes that separate or spell something in a manifest come up more often. */
export const anEdit: fc.Arbitrary<Edit> = fc.record({
  kind: fc.constantFrom('substitute', 'delete', 'insert'),
  place: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  byte: fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('\n\r\t\0 #:=/\\aA0'))),
})

/** The bytes after an edit: never the same bytes. A substitute that would change nothing flips a bit instead. */
export function edited(bytes: Uint8Array, { kind, place, byte }: Edit): Uint8Array {
  const at = Math.floor(place * (bytes.length + (kind === 'insert' ? 1 : 0)))
  const middle = { substitute: [bytes[at] === byte ? byte ^ 1 : byte], delete: [], insert: [byte] }
  const rest = bytes.subarray(kind === 'insert' ? at : at + 1)
  return new Uint8Array(Buffer.concat([bytes.subarray(0, at), Buffer.from(middle[kind]), rest]))
}
