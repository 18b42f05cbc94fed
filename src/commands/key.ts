import { realpath, stat } from 'node:fs/promises'
import { hashFile } from '../crypto/node.js'
import { SignedImpError } from '../errors.js'
import { commandSigner } from '../keys/command.js'
import { findPassword } from '../keys/password.js'
import { loadSigner } from '../keys/private.js'
import { isPem } from '../keys/source.js'
import type { Signer } from '../manifest/sign.js'
import { isInside } from '../tree/system-path.js'
import type { Tree } from '../tree/tree.js'
import { zipTree } from '../tree/zip/tree.js'
import { UsageError } from './arguments.js'
import { askHidden, canAsk } from './prompt.js'
import { isFolder } from './target.js'

/**
 * Opens the private key of `--key`. A password from the environment goes before a question, and a key that needs none is not asked
 * for one.
 * @param command what signs, where `key` is the public key of who has the private one
 * @throws UsageError on a key itself; SignedImpError `ERR_SIGNEDIMP_KEY`, `ERR_SIGNEDIMP_PASSWORD`
 */
export async function openKey(key: string, command?: string): Promise<Signer> {
  if (isPem(key)) throw new UsageError(keyInSight)
  if (command !== undefined)
    return loadSigner(commandSigner(command, key, '--signer'), { option: '--key' })
  const password = async () =>
    (await findPassword({})) ?? (await askHidden([`Password for ${key}: `]))[0]!
  return loadSigner(key, { option: '--key', ...(canAsk() && { password }) })
}

// Without the key, which the logs of a CI system keep.
const keyInSight =
  '--key takes a file and no key itself, which everybody on the machine could see; in Bash, --key <(printf %s "$KEY") gives a variable\'s text'

/**
 * Refuses a key whose file is in the folder that it signs, or the same file in a zip file.
 * @throws SignedImpError `ERR_SIGNEDIMP_KEY_EXPOSED`
 */
export async function refuseKeyInside(target: string, key: string): Promise<void> {
  // A pipe is in no folder, and has no path.
  const file = await stat(key)
  if (!file.isFile()) return
  const isThere = (await isFolder(target))
    ? isInside(await realpath(target), await realpath(key))
    : await holds(zipTree(target), file.size, await hashFile(key, 'sha256'))
  if (!isThere) return
  const reason = 'is the private key, inside of what it signs: whoever gets that could sign'
  throw new SignedImpError('ERR_SIGNEDIMP_KEY_EXPOSED', reason, { path: key })
}

/** Whether a file of this size has this SHA-256; files of another size are not read. */
const holds = (tree: Tree, size: number, hash: string): Promise<boolean> =>
  tree.whileStill(async ({ folder, contents }) => {
    for (const path of folder.files.keys())
      if (contents.size(path) === size && (await contents.hash(path, 'sha256')) === hash)
        return true
    return false
  })
