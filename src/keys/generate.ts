import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'

/** What kind of key: the scheme follows from it. */
export type KeyAlgorithm = 'rsa-pss' | 'ed25519' | 'ecdsa-p256'

const makePair = promisify(generateKeyPair)

const kinds = new Map<KeyAlgorithm, () => Promise<{ privateKey: KeyObject }>>([
  ['rsa-pss', () => makePair('rsa', { modulusLength: 3072, publicExponent: 65537 })],
  ['ed25519', () => makePair('ed25519')],
  ['ecdsa-p256', () => makePair('ec', { namedCurve: 'P-256' })],
])

/**
 * Makes a private key.
 * @param algorithm RSA-PSS with 3072 bits by default: every engine verifies it.
 */
export async function generateKey(algorithm: KeyAlgorithm = 'rsa-pss'): Promise<KeyObject> {
  const make = kinds.get(algorithm)
  if (!make) throw new TypeError(`"algorithm" must be one of ${[...kinds.keys()].join(', ')}`)
  return (await make()).privateKey
}
