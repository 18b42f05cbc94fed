/** PEM as files have it: bytes in a text (RFC 7468). */
import type { PemBlock } from '../crypto/pem.js'

/** The bytes in a block, without the headers that old encrypted files have. */
export function pemBytes({ text }: PemBlock): Buffer {
  const body = text.split(/\r?\n/).filter((line) => !/^-----|:/.test(line))
  return Buffer.from(body.join(''), 'base64')
}

/** A block of bytes. */
export function toPem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}
