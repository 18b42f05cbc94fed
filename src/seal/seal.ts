/** Seals a finished folder: signs what a build left, and makes its pages run nothing else. */
import { findSecrets } from '../plugin/guard.js'
import { containerPath } from '../tree/options.js'
import { verifyDirectory } from '../tree/verify.js'
import { refuseStrays, whileStill } from '../tree/walk.js'
import { keepSeal } from './keep.js'
import { makeSeal, type SignedRelease } from './make.js'
import { resolveSeal, type ResolvedSeal } from './options.js'
import { recordName } from './record.js'
import type { SealOptions, SealReport } from './types.js'
import { writeSeal } from './write.js'

/**
 * Makes the pages of a finished folder start their modules through a bootstrap, and lists and signs all files. A folder that
 * was sealed in the same way and has not changed since stays as it is, byte for byte.
 * Nothing is written unless all of it can be protected. What an interrupted seal left, `unsealDirectory` takes back.
 * @throws SignedImpError `…_OUTPUT`, `…_NOT_COVERED`, `…_PATH`, `…_KEY_EXPOSED`, `…_LATE_WRITE`, `…_FILES` (changed since it was
 *   sealed), and what reading a key refuses; TypeError on options
 */
export async function sealDirectory(
  dir: string | URL,
  options: SealOptions = {},
): Promise<SealReport> {
  const root = containerPath(dir, 'dir')
  const resolved = await resolveSeal(options)
  const isSecret = !resolved.isOneTime && !('sign' in Object(options.key))
  const secrets = isSecret ? await findSecrets(options.key, process.cwd()) : []
  return sealFolder(root, resolved, secrets)
}

/** As {@link sealDirectory}. @param secrets texts that would give the key away if a file held one */
export async function sealFolder(
  dir: string,
  resolved: ResolvedSeal,
  secrets: string[],
): Promise<SealReport> {
  const { release, seal, report } = await whileStill(dir, async (folder) => {
    refuseStrays(folder)
    return folder.files.has(recordName)
      ? keepSeal(dir, folder, resolved)
      : makeSeal(dir, folder, resolved, secrets)
  })
  if (!seal || resolved.isDryRun) return report
  await writeSeal(dir, seal)
  await verify(dir, release, resolved)
  return report
}

/** What is on the disk is what counts. The other signatures, if pages need several, are added later. */
const verify = (
  dir: string,
  { signer, name, manifestName: manifest }: SignedRelease,
  { progress }: ResolvedSeal,
) => verifyDirectory(dir, [signer.key], { name, manifest, progress })
