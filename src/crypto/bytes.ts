/** Bytes and their spellings. Nothing here knows what the bytes are for. */

/** Bytes as the crypto APIs take them. */
export type Bytes = Uint8Array<ArrayBuffer>

/** UTF-8 bytes of a text. */
export const utf8 = (text: string): Bytes => new TextEncoder().encode(text) as Bytes

/**
 * Text of UTF-8 bytes; a byte order mark stays in it, so that it is seen.
 * @throws TypeError on bytes that are not UTF-8
 */
export const fromUtf8 = (bytes: Uint8Array): string =>
  new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)

/** Text of UTF-8 bytes; a byte order mark stays in it, and what is not UTF-8 becomes U+FFFD, so that both are seen. */
export const decodeText = (bytes: Uint8Array): string =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)

/** Lower-case hexadecimal (RFC 4648 §8, in lower case). */
export const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** Standard padded base64 (RFC 4648 §4) of a few bytes: a hash, a key, a signature. */
export const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes))

/** Bytes of a text that has one character for each. */
export const fromBinary = (binary: string): Bytes =>
  Uint8Array.from(binary, (char) => char.charCodeAt(0))

/**
 * What canonical base64 stands for, one character a byte. Canonical is the one spelling that {@link base64} gives.
 * @throws an error on any other spelling (RFC 4648 §3.5: missing padding, stray bits, spaces)
 */
export function binaryFromBase64(text: string): string {
  const binary = atob(text)
  if (btoa(binary) !== text) throw SyntaxError(text)
  return binary
}

/** Bytes of canonical base64: see {@link binaryFromBase64}. */
export const fromBase64 = (text: string): Bytes => fromBinary(binaryFromBase64(text))

/** What bytes are now, whatever their owner makes of them. @throws TypeError on what are none */
export function copyBytes(bytes: unknown): Bytes {
  if (bytes instanceof ArrayBuffer) return new Uint8Array(bytes.slice(0))
  if (ArrayBuffer.isView(bytes))
    return Uint8Array.from(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  throw new TypeError(`"bytes" must be an ArrayBuffer or a view of one, got ${typeof bytes}`)
}
