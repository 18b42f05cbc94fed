import { KeyObject } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { writeNew } from './new-file.js'
import { publicKeyPem, toTrustedKey } from './public.js'
import { wrongType } from './source.js'
import { formatPrivateKey } from './write.js'

/**
 * Writes a private key to `file`, for its owner only, and the public half to `file.pub`. Nothing is ever overwritten; where one
 * of the two cannot be written, neither is left behind.
 * @param options `password: null` leaves the key unencrypted; there is no default, so that nobody does so by accident.
 * @throws {@link SignedImpError} `ERR_SIGNEDIMP_KEY` when a file exists, or on a weak or unsupported key
 */
export async function saveKey(
  key: KeyObject,
  file: string | URL,
  options: { password: string } | { password: null },
): Promise<void> {
  if (!(key instanceof KeyObject) || key.type !== 'private')
    throw wrongType('key', 'a private KeyObject', key)
  if (!file) throw wrongType('file', 'a path or a URL', file)
  const path = file instanceof URL ? fileURLToPath(file) : file
  const publicText = publicKeyPem(toTrustedKey(key))
  await writeNew(path, await formatPrivateKey(key, 'pem', { password: options?.password }), 0o600)
  await writeNew(`${path}.pub`, publicText, 0o644).catch(async (error: unknown) => {
    await rm(path)
    throw error
  })
}
