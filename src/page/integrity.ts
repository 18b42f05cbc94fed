import type { HashType } from '../crypto/algorithms.js'
import { base64, type Bytes } from '../crypto/bytes.js'
import { webCrypto } from '../crypto/webcrypto.js'
import type { Manifest } from '../manifest/format.js'

/** Integrity metadata (SRI §3.1) of a listed file. @throws TypeError on what is not listed */
export const integrityOf = ({ hash, files }: Manifest, path: string): string =>
  `${hash}-${btoa(files.get(path)!.replace(/../g, fromHex))}`

const fromHex = (byte: string): string => String.fromCharCode(('0x' + byte) as never)

/** Integrity metadata of bytes. */
export const toIntegrity = async (hash: HashType, bytes: Bytes): Promise<string> =>
  `${hash}-${base64(await webCrypto.digest(hash, bytes))}`

/** Whether bytes are those that are listed under a path. @throws TypeError on what is not listed */
export const isListed = async (manifest: Manifest, path: string, bytes: Bytes): Promise<boolean> =>
  (await toIntegrity(manifest.hash, bytes)) === integrityOf(manifest, path)
