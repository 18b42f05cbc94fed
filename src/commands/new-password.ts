import { access } from 'node:fs/promises'
import { SignedImpError } from '../errors.js'
import { findPassword } from '../keys/password.js'
import { askHidden, canAsk } from './prompt.js'

/**
 * The password for a key file that is about to be written: from a variable or the file that its `_FILE` names, else from
 * whoever sits at the terminal.
 * @throws SignedImpError `ERR_SIGNEDIMP_PASSWORD` where there is none
 */
export async function chooseNewPassword(variable: string): Promise<string> {
  const password = await findPassword({ variable })
  if (password !== undefined) return password
  if (canAsk()) return askNewPassword()
  throw noPassword(
    `there is no terminal to ask for one, so set ${variable} or ${variable}_FILE to one that is not empty, or give --no-password for an unencrypted key`,
  )
}

async function askNewPassword(): Promise<string> {
  const [password, again] = await askHidden(['Password for the new key: ', 'The same again: '])
  if (!password)
    throw noPassword('the password is empty; give --no-password for an unencrypted key')
  if (password !== again)
    throw noPassword('the two passwords are not the same; nothing was written')
  return password
}

const noPassword = (reason: string): SignedImpError =>
  new SignedImpError('ERR_SIGNEDIMP_PASSWORD', reason)

/** What whoever leaves a key unencrypted should know. */
export const openKeyWarning = (file: string): string =>
  `${file} is not encrypted: whoever can read it can sign.`

/**
 * Refuses names that are taken, before a password is asked for: what writes key files would refuse them only after.
 * @throws SignedImpError `ERR_SIGNEDIMP_KEY`
 */
export async function refuseExisting(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const exists = await access(path).then(
      () => true,
      () => false,
    )
    const reason = 'exists already, and a key file is never overwritten: choose another name'
    if (exists) throw new SignedImpError('ERR_SIGNEDIMP_KEY', reason, { path })
  }
}
