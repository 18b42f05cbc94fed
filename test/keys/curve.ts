/** Edwards25519 in plain numbers (RFC 8032 §5.1), to find its points of small order without trusting any table. */

export const p: bigint = 2n ** 255n - 19n
const order = 2n ** 252n + 27742317777372353535851937790883648493n

type Point = readonly [x: bigint, y: bigint]

const mod = (number: bigint): bigint => ((number % p) + p) % p
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let square = mod(base); exponent > 0n; exponent >>= 1n, square = mod(square * square))
    if (exponent & 1n) result = mod(result * square)
  return result
}
const inverse = (number: bigint): bigint => power(number, p - 2n)
const d = mod(-121665n * inverse(121666n))

function add([x1, y1]: Point, [x2, y2]: Point): Point {
  const product = mod(d * x1 * x2 * y1 * y2)
  const x = mod((x1 * y2 + x2 * y1) * inverse(1n + product))
  const y = mod((y1 * y2 + x1 * x2) * inverse(1n - product))
  return [x, y]
}

function multiply(point: Point, times: bigint): Point {
  let result: Point = [0n, 1n]
  for (let sum = point; times > 0n; times >>= 1n, sum = add(sum, sum))
    if (times & 1n) result = add(result, sum)
  return result
}

/** A point with this y, where there is one. */
function pointAt(y: bigint): Point | undefined {
  const square = mod((y * y - 1n) * inverse(d * y * y + 1n))
  const candidate = power(square, (p + 3n) / 8n)
  for (const x of [candidate, mod(candidate * power(2n, (p - 1n) / 4n))])
    if (mod(x * x) === square) return [x, y]
  return undefined
}

/** The eight points whose order divides 8: what is left of others after multiplying by the large prime. */
export function pointsOfSmallOrder(): Point[] {
  const found = new Map<string, Point>()
  for (let y = 2n; found.size < 8; y++) {
    const point = pointAt(y)
    const rest = point && multiply(point, order)
    if (rest) found.set(rest.join(), rest)
  }
  return [...found.values()]
}

/** 32 bytes: y with the lowest bit of x above it. Takes any y below 2^255, canonical or not. */
export function encodePoint([x, y]: Point): Uint8Array {
  const digits = (y | ((x & 1n) << 255n)).toString(16).padStart(64, '0')
  return new Uint8Array(Buffer.from(digits, 'hex').reverse())
}
