import type { KeyObject } from 'node:crypto'
import { describeKeyFile, type KeyFile } from '../keys/describe.js'
import { openPrivateKey } from '../keys/open.js'
import { findPassword } from '../keys/password.js'
import { isPublicText, readPublicText } from '../keys/public.js'
import { readSource } from '../keys/source.js'
import { askHidden, canAsk } from './prompt.js'

/** A key file that was read. */
export interface OpenedKey extends KeyFile {
  /** Private or public, as the file has it; nobody asked yet whether it is strong enough. */
  key: KeyObject
  /** The password that opened it, where it needed one. */
  password?: string
}

/**
 * Reads a key file of either half; a password is asked for where it needs one.
 * @throws SignedImpError `ERR_SIGNEDIMP_KEY`, `ERR_SIGNEDIMP_PASSWORD`
 */
export async function openKeyFile(file: string): Promise<OpenedKey> {
  const { text, where } = await readSource(file, 'the file of a key', 'file')
  if (isPublicText(text)) return { ...describeKeyFile(text), key: readPublicText(text, where) }
  let used: string | undefined
  const password = async () => (used = await passwordOf(file))
  const key = await openPrivateKey(text, where, { password: password as () => Promise<string> })
  return { ...describeKeyFile(text), key, ...(used !== undefined && { password: used }) }
}

async function passwordOf(file: string): Promise<string | undefined> {
  const password = await findPassword({})
  if (password !== undefined || !canAsk()) return password
  return (await askHidden([`Password for ${file}: `]))[0]
}
