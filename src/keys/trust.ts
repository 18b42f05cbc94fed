import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { algorithms, type Scheme } from '../crypto/algorithms.js'
import { isSoundPoint } from '../crypto/ed25519.js'
import type { TrustedKey } from '../crypto/key.js'
import { hashBytes } from '../crypto/node.js'
import { canonicalSpki, schemeOf, weaknessOf } from './rsa.js'
import { refuseKey, type Where } from './source.js'

/** The public half of a key as manifests count it. @throws {@link SignedImpError} `ERR_SIGNEDIMP_KEY` on a weak or unsupported key */
export function trust(key: KeyObject, where: Where): TrustedKey {
  if (key.type === 'secret') throw refuseKey(where, 'is a secret key: only key pairs sign')
  const { scheme, spki } = canonical(key.type === 'private' ? createPublicKey(key) : key, where)
  const fingerprint = hashBytes('sha256', spki)
  return { fingerprint, scheme, algorithm: algorithms[scheme], spki: spki.toString('base64') }
}

/** A key's scheme and its one encoding, rebuilt from the numbers: with two encodings, one key would count as two. */
function canonical(key: KeyObject, where: Where): { scheme: Scheme; spki: Buffer } {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = key
  if (type === 'rsa' || type === 'rsa-pss') return canonicalRsa(key, where)
  if (type === 'ed25519') return canonicalEd25519(key, where)
  if (details.namedCurve === 'prime256v1')
    return { scheme: 'ecdsa-p256-sha256', spki: fromJwk(key.export({ format: 'jwk' })) }
  const kind = [type, details.namedCurve].filter(Boolean).join(' ')
  throw refuseKey(
    where,
    `is a key of an unsupported kind (${kind}): use RSA, Ed25519 or ECDSA P-256`,
  )
}

function canonicalRsa(key: KeyObject, where: Where): { scheme: Scheme; spki: Buffer } {
  const details = key.asymmetricKeyDetails!
  const weakness = weaknessOf(details)
  if (weakness) throw refuseKey(where, weakness)
  const scheme = schemeOf(details)
  if (!scheme)
    throw refuseKey(where, 'is an RSA-PSS key whose own parameters allow no scheme of signedimp')
  return { scheme, spki: canonicalSpki(key) }
}

function canonicalEd25519(key: KeyObject, where: Where): { scheme: Scheme; spki: Buffer } {
  const jwk = key.export({ format: 'jwk' })
  if (!isSoundPoint(Buffer.from(jwk.x!, 'base64url')))
    throw refuseKey(
      where,
      'is an Ed25519 key of small order, or not canonical: anybody can sign for it',
    )
  return { scheme: 'ed25519', spki: fromJwk(jwk) }
}

const fromJwk = (key: JsonWebKey): Buffer =>
  createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'der' })
