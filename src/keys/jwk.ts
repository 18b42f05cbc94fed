import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { algorithms, type Scheme } from '../crypto/algorithms.js'
import { withScheme } from './rsa.js'
import { refuseKey, type Where } from './source.js'
import { trust } from './trust.js'

/** What `alg` says for each scheme (RFC 7518 §3.1, RFC 8037 §3.1). */
export const jwkAlgorithms: Record<Scheme, string> = {
  'pss-sha256': 'PS256',
  'pss-sha384': 'PS384',
  'pss-sha512': 'PS512',
  'ecdsa-p256-sha256': 'ES256',
  ed25519: 'EdDSA',
}

/** The private key in a JSON Web Key (RFC 7517). @throws {@link SignedImpError} `ERR_SIGNEDIMP_KEY` */
export function openJwk(text: string, where: Where): KeyObject {
  const jwk = parse(text, where)
  if (jwk.d === undefined)
    throw refuseKey(where, 'holds a public key where a private key belongs: give the private JWK')
  return read(jwk, createPrivateKey, where)
}

/** The public key in a JSON Web Key; a private one is a mistake here. @throws {@link SignedImpError} `ERR_SIGNEDIMP_KEY` */
export function readPublicJwk(text: string, where: Where): KeyObject {
  const jwk = parse(text, where)
  if (isPrivate(jwk))
    throw refuseKey(where, 'holds a private key where a public key belongs: give the public JWK')
  return read(jwk, createPublicKey, where)
}

/** Whether a text is the JWK of a public key. */
export function isPublicJwk(text: string): boolean {
  try {
    return !isPrivate(JSON.parse(text))
  } catch {
    return false
  }
}

/** Those of RSA, EC and OKP keys have `d`, symmetric ones `k`. */
const isPrivate = (jwk: JsonWebKey): boolean => jwk.d !== undefined || jwk.k !== undefined

function parse(text: string, where: Where): JsonWebKey {
  try {
    return JSON.parse(text) as JsonWebKey
  } catch {
    throw refuseKey(where, 'is a JWK that is cut short or damaged')
  }
}

function read(
  jwk: JsonWebKey,
  create: typeof createPrivateKey | typeof createPublicKey,
  where: Where,
): KeyObject {
  if (!isForSignatures(jwk)) throw refuseKey(where, 'is a JWK that says it is not for signatures')
  const key = parseKey(jwk, create, where)
  const { alg } = jwk
  if (alg === undefined) return key
  const scheme = (Object.keys(jwkAlgorithms) as Scheme[]).find(
    (name) => jwkAlgorithms[name] === (alg === 'Ed25519' ? 'EdDSA' : alg),
  )
  if (scheme && algorithms[scheme].name === trust(key, where).algorithm.name)
    return withScheme(key, scheme)
  throw refuseKey(where, 'is a JWK for an algorithm ("alg") that signedimp does not sign with')
}

function parseKey(
  key: JsonWebKey,
  create: typeof createPrivateKey | typeof createPublicKey,
  where: Where,
): KeyObject {
  try {
    return create({ key, format: 'jwk' })
  } catch {
    throw refuseKey(where, 'is a JWK that is damaged, or of an unsupported kind')
  }
}

/** What a JWK says of its use, if it says anything (RFC 7517 §4.2 and §4.3). */
const isForSignatures = ({ use = 'sig', key_ops = ['sign'] }: JsonWebKey): boolean =>
  use === 'sig' &&
  Array.isArray(key_ops) &&
  key_ops.some((operation) => operation === 'sign' || operation === 'verify')
