import { KeyObject } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { encryptPkcs8 } from './encrypt.js'
import { toPem } from './pem.js'
import { publicKeyPem, toTrustedKey } from './public.js'
import { codeOf, refuseKey, wrongType } from './source.js'

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
  await writeNew(path, await privateKeyPem(key, options?.password), 0o600)
  await writeNew(`${path}.pub`, publicText, 0o644).catch(async (error: unknown) => {
    await rm(path)
    throw error
  })
}

// What OpenSSL reads: a key with a longer one could never be opened again.
const longestPassword = 1024

async function privateKeyPem(key: KeyObject, password: string | null): Promise<string> {
  const pkcs8 = key.export({ type: 'pkcs8', format: 'der' })
  if (password === null) return toPem('PRIVATE KEY', pkcs8)
  if (!password || typeof password !== 'string')
    throw wrongType('password', 'a string, or null for a key without one', password)
  if (Buffer.byteLength(password) > longestPassword)
    throw new TypeError(`"password" must have at most ${longestPassword} bytes`)
  return toPem('ENCRYPTED PRIVATE KEY', await encryptPkcs8(pkcs8, password))
}

/** Writes a file that must not exist yet, whole or not at all. */
async function writeNew(file: string, text: string, mode: number): Promise<void> {
  const handle = await open(file, 'wx', mode).catch((error: unknown) => {
    throw refuseKey({ option: 'file', file }, reasonOf(error))
  })
  try {
    await handle.writeFile(text)
    await handle.sync()
  } catch (error) {
    await rm(file)
    throw refuseKey({ option: 'file', file }, reasonOf(error))
  } finally {
    await handle.close()
  }
}

const reasonOf = (error: unknown): string =>
  codeOf(error) === 'EEXIST'
    ? 'exists already, and a key file is never overwritten: choose another name'
    : `cannot be written (${codeOf(error)})`
