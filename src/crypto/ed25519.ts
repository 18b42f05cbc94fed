import { hex } from './bytes.js'

const p = 2n ** 255n - 19n

// y of the points of order 8 (RFC 8032 §5.1 has the curve); those of order 1, 2 and 4 have y = 1, -1 and 0.
const order8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n
const smallOrder = [0n, 1n, p - 1n, order8, p - order8]

/**
 * Whether a public key is usable: the canonical encoding of a point that is not of small order.
 * Under a point of small order one signature fits many messages or all of them, and few engines reject it.
 */
export function isSoundPoint(point: Uint8Array): boolean {
  if (point.length !== 32) return false
  const y = BigInt.asUintN(255, BigInt(`0x${hex(Uint8Array.from(point).reverse())}`))
  return y < p && !smallOrder.includes(y)
}
