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
