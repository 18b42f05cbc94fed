/** Width of P-256's field, in bytes. */
const width = 32

/**
 * r || s of a P-256 signature in DER (RFC 3279 §2.2.3), each 32 bytes, for WebCrypto.
 * Undefined unless the input is the one DER encoding of two positive integers of at most 32 bytes:
 * another spelling of a signature is another signature (X.690 §8.3, §10.1).
 */
export function rawFromDer(der: Uint8Array): Uint8Array | undefined {
  const raw = new Uint8Array(2 * width)
  let at = 2
  for (let end = width; end <= 2 * width; end += width) {
    const length = der[at + 1] ?? 0
    const value = der.subarray(at + 2, (at += 2 + length))
    const [first = 255, second = 255] = value
    const padded = first === 0
    if (der[at - length - 2] !== 2 || value.length !== length || first > 127) return
    if (padded && length > 1 && second < 128) return
    const digits = value.subarray(padded ? 1 : 0)
    if (digits.length > width) return
    raw.set(digits, end - digits.length)
  }
  return der[0] === 0x30 && der[1] === at - 2 && at === der.length ? raw : undefined
}

/** The contents of values of these tags, which fill `der` one after the other; else undefined. */
export function readSequence(
  der: Uint8Array = new Uint8Array(),
  tags: number[],
): Uint8Array[] | undefined {
  const contents: Uint8Array[] = []
  let rest = der
  for (const tag of tags) {
    const [start, length] = bounds(rest)
    const content = rest.subarray(start, start + length)
    const written = writeValue(tag, content)
    // What is cut short, of another tag, or spelled in another way is other bytes.
    if (written.some((byte, at) => byte !== rest[at])) return undefined
    contents.push(content)
    rest = rest.subarray(written.length)
  }
  return rest.length === 0 ? contents : undefined
}

/** Where the content of the first value begins, and how long it says that it is. */
function bounds([, first = 0, ...digits]: Uint8Array): [start: number, length: number] {
  if (first < 128) return [2, first]
  const size = first - 128
  return [2 + size, digits.slice(0, size).reduce((sum, byte) => sum * 256 + byte, 0)]
}

/** A value of up to 65,535 bytes. */
export function writeValue(tag: number, content: ArrayLike<number>): number[] {
  const { length } = content
  const digits = length > 255 ? [130, length >> 8, length & 255] : [129, length]
  return [tag, ...(length < 128 ? [length] : digits), ...Array.from(content)]
}
