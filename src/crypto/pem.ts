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

/** The one public key in a text, or why it is not taken: a private key or a certificate is a mistake here. */
export function findPublicBlock(text: string): PemBlock | string {
  const blocks = pemBlocks(text)
  const found = blocks.map(({ label }) => label).join(', ')
  if (found.includes('PRIVATE KEY'))
    return 'holds a private key where a public key belongs: give its .pub file'
  if (isCutShort(text) || !found) return 'holds no public key in PEM, or a damaged one'
  if (found !== 'PUBLIC KEY') return `must hold one PUBLIC KEY in PEM, but holds: ${found}`
  return flatness(blocks[0]!) ?? blocks[0]!
}
