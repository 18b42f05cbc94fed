import { base64, utf8, type Bytes } from '../crypto/bytes.js'
import type { TrustedKey } from '../crypto/key.js'
import type { StoredSignature } from './verify.js'

/** Whoever can sign: a key in memory, an HSM, an agent. `sign` gives the signature as a manifest stores it. */
export interface Signer {
  key: TrustedKey
  sign(message: Bytes): Promise<Uint8Array>
}

/** A signature of the signed text by `signer`. */
export async function signText(
  signedText: Uint8Array,
  { key, sign }: Signer,
): Promise<StoredSignature> {
  const signature = (await sign(signedText as Bytes)) as Bytes
  return { fingerprint: key.fingerprint, scheme: key.scheme, signature }
}

/** The stored manifest as a build leaves it: with the signature of its signer, or without any where others sign later. */
export async function signManifest(
  signedText: Uint8Array,
  signer: Signer | undefined,
): Promise<Bytes> {
  return storeManifest(signer ? [await signText(signedText, signer)] : [], signedText)
}

/** The stored manifest: one line a signature, a blank line, the signed text. */
export function storeManifest(signatures: StoredSignature[], signedText: Uint8Array): Bytes {
  const header = signatures.map(({ fingerprint, scheme, signature }) => {
    const prefix = utf8(`${scheme}:`)
    const line = new Uint8Array(prefix.length + signature.length)
    line.set(prefix)
    line.set(signature, prefix.length)
    return `${fingerprint} ${base64(line)}\n`
  })
  const start = utf8(header.join('') + '\n')
  const stored = new Uint8Array(start.length + signedText.length)
  stored.set(start)
  stored.set(signedText, start.length)
  return stored
}
