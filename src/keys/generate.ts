import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'

/** What kind of key: the scheme follows from it. */
export type KeyAlgorithm = 'rsa-pss' | 'ed25519' | 'ecdsa-p256'

const makePair = promisify(generateKeyPair)

const kinds = new Map<KeyAlgorithm, () => Promise<{ privateKey: KeyObject }>>([
  ['rsa-pss', () => makePair('rsa', { modulusLength: 3072, publicExponent: 65537 })],
  ['ed25519', makeEd25519],
  ['ecdsa-p256', () => makePair('ec', { namedCurve: 'P-256' })],
])

/** WebKitGTK 2.50 imports no Ed25519 key whose first byte is zero, which one in 256 has. */
async function makeEd25519(): Promise<{ privateKey: KeyObject }> {
  for (;;) {
    const pair = await makePair('ed25519')
    if (isEverywhere(pair.publicKey)) return pair
  }
}

/** Whether every engine that is tested imports an Ed25519 key. */
export const isEverywhere = (key: KeyObject): boolean =>
  Buffer.from(key.export({ format: 'jwk' }).x!, 'base64url')[0] !== 0

/**
 * Makes a private key.
 * @param algorithm RSA-PSS with 3072 bits by default: every engine verifies it.
 */
export async function generateKey(algorithm: KeyAlgorithm = 'rsa-pss'): Promise<KeyObject> {
  const make = kinds.get(algorithm)
  if (!make) throw new TypeError(`"algorithm" must be one of ${[...kinds.keys()].join(', ')}`)
  return (await make()).privateKey
}
