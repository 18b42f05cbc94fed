/** PEM, the text form of key files (RFC 7468). */

/** A block of a PEM file. */
export interface PemBlock {
  /** What it says it is, such as `PUBLIC KEY`. */
  label: string
  /** The whole block with its first and last line. */
  text: string
}

/**
 * The complete blocks of a text; what stands between them is no concern of ours. Variables of some CI systems have `\n`
 * for a line break, which can mean nothing else: there is no backslash in PEM.
 */
export const pemBlocks = (text: string): PemBlock[] =>
  [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----[^]*?-----END \1-----/g)].map((match) => ({
    label: match[1]!,
    text: match[0].replace(/(\\r)?\\n/g, '\n') + '\n',
  }))

/** Why a block that is all on one line cannot be read, where it is. */
export const flatness = ({ text }: PemBlock): string | undefined =>
  text.trim().includes('\n')
    ? undefined
    : 'holds a key without its line breaks, as a variable may lose them: give them as they were or as \\n, or give a file'

/** Whether a block begins that does not end: a file that was cut short. */
export const isCutShort = (text: string): boolean =>
  text.split('-----BEGIN ').length - 1 > pemBlocks(text).length

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
