/** As much of DER (X.690) as key files need. */

/** A value in DER: its tag and its content. */
export interface Element {
  tag: number
  content: Buffer
}

/** The encoding of a value. */
export function encode(tag: number, ...contents: Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  return Buffer.concat([Buffer.of(tag), encodeLength(content.length), content])
}

function encodeLength(length: number): Buffer {
  if (length < 128) return Buffer.of(length)
  const digits = bigEndian(BigInt(length))
  return Buffer.concat([Buffer.of(128 + digits.length), digits])
}

/** The values that stand in `der`, one after the other. @throws RangeError where they do not fill it exactly */
export function decode(der: Uint8Array): Element[] {
  const elements: Element[] = []
  for (let rest = Buffer.from(der); rest.length > 0;) {
    const [start, end] = bounds(rest)
    if (end > rest.length) throw new RangeError('not DER: a value is cut short')
    elements.push({ tag: rest[0]!, content: rest.subarray(start, end) })
    rest = rest.subarray(end)
  }
  return elements
}

/** Where the content of the first value begins and ends. */
function bounds(der: Buffer): [start: number, end: number] {
  const first = der[1] ?? 128
  if (first < 128) return [2, 2 + first]
  const digits = first - 128
  if (digits < 1 || digits > 4 || der.length < 2 + digits)
    throw new RangeError('not DER: no length')
  return [2 + digits, 2 + digits + der.readUIntBE(2, digits)]
}

/** SEQUENCE. */
export const sequence = (...contents: Uint8Array[]): Buffer => encode(0x30, ...contents)

/** OCTET STRING. */
export const octets = (content: Uint8Array): Buffer => encode(0x04, content)

/** NULL. */
export const nothing: Buffer = encode(0x05)

/** INTEGER, of a number that is not negative. */
export function integer(value: bigint): Buffer {
  const digits = bigEndian(value)
  return encode(0x02, Buffer.alloc(digits[0]! >> 7), digits)
}

/** OBJECT IDENTIFIER, from its usual spelling: `1.2.840.113549.1.5.13`. */
export function identifier(text: string): Buffer {
  const [first, second, ...rest] = text.split('.').map(Number) as [number, number, ...number[]]
  return encode(0x06, Buffer.from([first * 40 + second, ...rest].flatMap(base128)))
}

/** The DER of a signature r || s, as {@link rawFromDer} undoes it. */
export const derFromRaw = (raw: Uint8Array): Buffer =>
  sequence(integer(toNumber(raw.subarray(0, 32))), integer(toNumber(raw.subarray(32))))

const base128 = (arc: number): number[] =>
  arc < 128 ? [arc] : [...base128(arc >>> 7).map((digit) => digit | 128), arc & 127]

const toNumber = (bytes: Uint8Array): bigint => BigInt('0x' + Buffer.from(bytes).toString('hex'))

function bigEndian(value: bigint): Buffer {
  const digits = value.toString(16)
  return Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex')
}
