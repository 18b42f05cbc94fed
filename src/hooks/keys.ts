/** Public keys as a program is given them. */
import { createPublicKey } from 'node:crypto'
import { fromBase64 } from '../crypto/bytes.js'
import { notItsOwn, refuseKey, type GivenKey } from '../crypto/given.js'
import type { TrustedKey } from '../crypto/key.js'
import { hashBytes } from '../crypto/node.js'

/** A key whose fingerprint was made here, and which the runtime can import. @throws SignedImpError `ERR_SIGNEDIMP_KEY` */
export function trustKeyNow({ option, ...key }: GivenKey): TrustedKey {
  const der = Buffer.from(fromBase64(key.spki))
  const fingerprint = hashBytes('sha256', der)
  if ((key.fingerprint ?? fingerprint) !== fingerprint) throw notItsOwn(option)
  try {
    createPublicKey({ key: der, format: 'der', type: 'spki' })
  } catch (cause) {
    throw refuseKey(option, 'is a key that is damaged, or of a kind that this runtime lacks', cause)
  }
  return { ...key, fingerprint }
}
