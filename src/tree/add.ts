import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { hashBytes } from '../crypto/node.js'
import { refuseSharedNames } from '../manifest/distinct.js'
import { writeSignedText } from '../manifest/format.js'
import { isManifestOf } from '../manifest/names.js'
import { signManifest, type Signer } from '../manifest/sign.js'
import { splitManifest } from '../manifest/verify.js'
import { copiesOf } from './copies.js'
import { summaryOf, type ManifestSummary } from './report.js'
import type { VerifiedFolder } from './verify.js'
import { writeFileAtomically } from './write.js'

/**
 * Puts files into a folder that was verified, and signs what it then is. Goes by what was verified, and not by what
 * stands there now: what somebody changed meanwhile is not signed. Nothing is written unless everything is signed.
 * Compressed copies of the manifest are removed, as they hold the old one.
 * @param files in the order in which they are written, the manifest last: page manifests, which are signed already, and
 *   files outside of the folder (`../`) are not listed
 */
export async function addSigned(
  dir: string,
  manifestName: string,
  { main, stored, pages }: VerifiedFolder,
  files: ReadonlyMap<string, string | Uint8Array>,
  signer: Signer,
): Promise<ManifestSummary> {
  const listed = [...files].filter(
    ([path]) => !path.startsWith('../') && !isManifestOf(manifestName, path),
  )
  const digests = listed.map(([path, bytes]) => [path, hashBytes(main.hash, bytes)] as const)
  const next = { ...main, files: new Map([...main.files, ...digests]) }
  refuseSharedNames([...next.files.keys(), manifestName])
  const text = writeSignedText(next)
  // Signatures of others hold as long as it says the same.
  const isSame = Buffer.compare(text, splitManifest(stored).signedText) === 0
  const manifest = isSame ? stored : await signManifest(text, signer)
  for (const [path, bytes] of files)
    if (!pages.has(path)) await writeFileAtomically(join(dir, path), Buffer.from(bytes as string))
  if (!isSame) for (const copy of copiesOf(manifestName)) await rm(join(dir, copy), { force: true })
  await writeFileAtomically(join(dir, manifestName), manifest)
  return summaryOf(next)
}
