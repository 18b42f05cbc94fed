/** Public keys as the engine of a page takes them. */
import { fromBase64, hex } from '../crypto/bytes.js'
import { notItsOwn, refuseKey, type GivenKey } from '../crypto/given.js'
import type { TrustedKey } from '../crypto/key.js'
import { webCrypto } from '../crypto/webcrypto.js'

/** A key whose fingerprint was made here, and which the engine can import. */
export async function trustKey({ option, ...key }: GivenKey): Promise<TrustedKey> {
  const der = fromBase64(key.spki)
  const fingerprint = hex(await webCrypto.digest('sha256', der))
  if ((key.fingerprint ?? fingerprint) !== fingerprint) throw notItsOwn(option)
  try {
    await crypto.subtle.importKey('spki', der, key.algorithm, false, ['verify'])
  } catch (cause) {
    throw refuseKey(option, 'is a key that is damaged, or of a kind that this browser lacks', cause)
  }
  return { ...key, fingerprint }
}
