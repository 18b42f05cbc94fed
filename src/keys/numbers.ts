import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { power } from '../crypto/power.js'
import { plainRsa } from './rsa.js'
import { damaged, refuseKey, type Where } from './source.js'

/** An RSA key in the numbers of RFC 8017 §3; `d` where it is private. */
export interface RsaNumbers {
  n: bigint
  e: bigint
  d?: bigint
}

// As Python 2 shows it, where long numbers may end in L.
const spelling =
  /^\s*(?:\w+\s*=\s*)?RSAKey\s*\(\s*(\d+)L?\s*,\s*(\d+)L?\s*(?:,\s*(\d+)L?\s*)?\)\s*$/

/**
 * Reads `RSAKey(n, e, d)`, or `RSAKey(n, e)`: how the signedimp of Python shows its keys.
 * @throws {@link SignedImpError} `ERR_SIGNEDIMP_KEY`
 */
export function readNumbers(text: string, where: Where): RsaNumbers {
  const [, n, e, d] = spelling.exec(text) ?? []
  if (!n || !e || n.length > 5000 || e.length > 5000 || (d ?? '').length > 5000)
    throw refuseKey(where, 'must be RSAKey(n, e, d) with decimal numbers, and nothing else')
  return { n: BigInt(n), e: BigInt(e), ...(d && { d: BigInt(d) }) }
}

/** The private key that numbers are. @throws {@link SignedImpError} `ERR_SIGNEDIMP_KEY` where they belong to no key */
export function privateFromNumbers({ n, e, d }: RsaNumbers, where: Where): KeyObject {
  if (d === undefined)
    throw refuseKey(where, 'holds a public key where a private key belongs: RSAKey(n, e, d)')
  const p = factor(n, e, d)
  if (p === undefined) throw damaged(where)
  const q = n / p
  const rest = { p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: power(q, p - 2n, p) }
  const jwk = Object.entries({ n, e, d, ...rest }).map(([name, value]) => [name, digits(value)])
  try {
    const key = { kty: 'RSA', ...Object.fromEntries(jwk) }
    return createPrivateKey({ key, format: 'jwk' })
  } catch {
    throw damaged(where)
  }
}

/** The public key that numbers are. @throws {@link SignedImpError} `ERR_SIGNEDIMP_KEY` on private ones, or on what is no key */
export function publicFromNumbers({ n, e, d }: RsaNumbers, where: Where): KeyObject {
  if (d !== undefined)
    throw refuseKey(where, 'holds a private key where a public key belongs: RSAKey(n, e)')
  try {
    return createPublicKey({ key: { kty: 'RSA', n: digits(n), e: digits(e) }, format: 'jwk' })
  } catch {
    throw refuseKey(where, 'holds a public key that is damaged')
  }
}

/** Numbers of a key of RSA. @throws TypeError on one of another kind */
export function numbersOf(key: KeyObject): RsaNumbers {
  const jwk = plainRsa(key).export({ format: 'jwk' })
  if (jwk.kty !== 'RSA') throw new TypeError('only keys of RSA are such numbers, and this is none')
  const number = (text: string) => BigInt('0x' + Buffer.from(text, 'base64url').toString('hex'))
  return { n: number(jwk.n!), e: number(jwk.e!), ...(jwk.d && { d: number(jwk.d) }) }
}

/** `RSAKey(n,e)`, or `RSAKey(n,e,d)` where the key is private. */
export const formatNumbers = ({ n, e, d }: RsaNumbers): string =>
  `RSAKey(${[n, e, ...(d === undefined ? [] : [d])].join(',')})`

/** What the signedimp of Python calls a key by: SHA-1 of how it shows its two public numbers. */
export const pythonFingerprint = ({ n, e }: RsaNumbers): string =>
  createHash('sha1').update(`RSAKey ${n} ${e}`).digest('hex')

/** A prime factor of the modulus, from the exponents (NIST SP 800-56B Rev. 2 §C.1); undefined where they are no pair. */
function factor(n: bigint, e: bigint, d: bigint): bigint | undefined {
  let odd = e * d - 1n
  if (n < 15n || odd < 1n || odd % 2n) return undefined
  let twos = 0
  for (; odd % 2n === 0n; odd /= 2n) twos++
  for (let base = 2n; base < 100n; base++) {
    let root = power(base, odd, n)
    for (let at = 0; at < twos; at++) {
      const square = (root * root) % n
      if (square === 1n && root !== 1n && root !== n - 1n) return divisor(root - 1n, n)
      root = square
    }
  }
  return undefined
}

const divisor = (a: bigint, b: bigint): bigint => (b === 0n ? a : divisor(b, a % b))

/** Base64urlUInt (RFC 7518 §2). */
function digits(value: bigint): string {
  const hex = value.toString(16)
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url')
}
