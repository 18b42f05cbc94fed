/** A folder that is sealed already. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SignedImpError } from '../errors.js'
import { readRelease } from '../plugin/release.js'
import { FilesRefusedError } from '../tree/refused.js'
import { verifyDirectory } from '../tree/verify.js'
import type { Folder } from '../tree/walk.js'
import { needSigner, type MadeSeal, type SignedRelease } from './make.js'
import type { ResolvedSeal } from './options.js'
import { readRecord, recordName, toOptions, type SealRecord } from './record.js'

/**
 * Finds that a folder is sealed as it would be sealed now, so that nothing is to be done.
 * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` where it was sealed otherwise, or not to the end; `…_FILES` where it has changed
 *   since
 */
export async function keepSeal(
  dir: string,
  { files }: Folder,
  resolved: ResolvedSeal,
): Promise<MadeSeal> {
  const record = readRecord(readFileSync(join(dir, recordName)))
  if (!files.has(record.manifest))
    throw refuse(
      'is of a seal that was not written to the end; run signedimp unseal, and seal then',
    )
  if (resolved.isOneTime)
    throw refuse(`is of a seal already, and a one-time key seals nothing twice; ${first}`)
  const base = resolved.base ?? String(record.options['base'])
  const release = needSigner(await readRelease(resolved.release, process.cwd(), base))
  const others = differences(record, release)
  if (others.length > 0)
    throw refuse(`is of a seal already, with another ${others.join(', ')}; ${first}`)
  await verifyKept(dir, release)
  return {
    release,
    seal: undefined,
    report: { ...record.report, unchanged: true, dryRun: resolved.isDryRun },
  }
}

const first = 'run signedimp unseal first, or seal the folder as it was built'

const refuse = (reason: string): SignedImpError =>
  new SignedImpError('ERR_SIGNEDIMP_OUTPUT', reason, { path: recordName })

/** Names of the options in which a seal differs from what it would be now. */
function differences({ options, manifest }: SealRecord, release: SignedRelease): string[] {
  const now: Record<string, unknown> = { ...toOptions(release), manifest: release.manifestName }
  const before: Record<string, unknown> = { ...options, manifest }
  const names = new Set([...Object.keys(now), ...Object.keys(before)])
  return [...names].filter((name) => JSON.stringify(now[name]) !== JSON.stringify(before[name]))
}

async function verifyKept(
  dir: string,
  { signer, name, manifestName: manifest }: SignedRelease,
): Promise<void> {
  try {
    await verifyDirectory(dir, [signer.key], { name, manifest })
  } catch (error) {
    if (!(error instanceof FilesRefusedError)) throw error
    const seen = 'since the folder was sealed'
    throw new FilesRefusedError(
      error.problems.map((problem) => ({ ...problem, reason: problem.reason ?? seen })),
    )
  }
}
