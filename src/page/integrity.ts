import type { HashType } from '../crypto/algorithms.js'
import { base64, type Bytes } from '../crypto/bytes.js'
import type { Verifier } from '../crypto/key.js'
import { integrityOf } from '../manifest/import-map.js'
import type { Boot } from './context.js'

/** Integrity metadata of bytes. */
export const toIntegrity = async (
  verifier: Pick<Verifier, 'digest'>,
  hash: HashType,
  bytes: Bytes,
): Promise<string> => `${hash}-${base64((await verifier.digest(hash, bytes)) as Bytes)}`

/** Whether bytes are those that are listed under a path. */
export const isListed = async (
  { verifier, manifest }: Pick<Boot, 'verifier' | 'manifest'>,
  path: string,
  bytes: Bytes,
): Promise<boolean> =>
  manifest.files.has(path) &&
  (await toIntegrity(verifier, manifest.hash, bytes)) === integrityOf(manifest, path)
