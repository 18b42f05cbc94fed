import type { Manifest } from '../manifest/format.js'

/** Integrity metadata (SRI §3.1) of a listed file. @throws TypeError on what is not listed */
export const integrityOf = ({ hash, files }: Manifest, path: string): string =>
  `${hash}-${btoa(files.get(path)!.replace(/../g, fromHex))}`

const fromHex = (byte: string): string => String.fromCharCode(+`0x${byte}`)
