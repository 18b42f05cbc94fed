/** Integrity metadata (SRI §3.1) of a hash in hex. */
export const toIntegrity = (type: string, digest: string): string =>
  `${type}-${btoa(digest.replace(/../g, fromHex))}`

const fromHex = (byte: string): string => String.fromCharCode(+`0x${byte}`)
