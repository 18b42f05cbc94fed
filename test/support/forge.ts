import { loadSigner, type KeySource } from '../../src/keys/private.ts'
import { signText, storeManifest } from '../../src/manifest/sign.ts'
import { splitManifest } from '../../src/manifest/verify.ts'

/** What an attacker can do to a manifest without a key: the signatures stay, the signed text becomes another. */
export function edited(stored: Uint8Array, edit: (text: string) => string): Buffer {
  const { signedText } = splitManifest(stored)
  const header = stored.subarray(0, stored.length - signedText.length)
  return Buffer.concat([header, Buffer.from(edit(Buffer.from(signedText).toString()))])
}

/** A manifest with another text that somebody has signed. */
export async function resigned(
  stored: Uint8Array,
  key: KeySource,
  edit: (text: string) => string = (text) => text,
): Promise<Buffer> {
  const { signedText } = splitManifest(stored)
  const text = Buffer.from(edit(Buffer.from(signedText).toString()))
  return Buffer.from(storeManifest([await signText(text, await loadSigner(key))], text))
}
