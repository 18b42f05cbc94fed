import { join } from 'node:path'
import { writeFileAtomically } from '../tree/write.js'
import type { Seal } from './make.js'
import { recordName } from './record.js'

/**
 * Writes a seal. First the record, which tells how to take back each file, and last the manifest, without which nothing
 * is vouched for: wherever this ends, each file has its bytes of before or of after.
 * @throws an error that says how far it got
 */
export async function writeSeal(dir: string, { record, files, manifest }: Seal): Promise<void> {
  let done = 0
  try {
    for (const [path, bytes] of [[recordName, record] as const, ...files]) {
      await writeFileAtomically(join(dir, path), bytes)
      done++
    }
    await writeFileAtomically(join(dir, manifest.path), manifest.stored)
  } catch (cause) {
    const { message } = cause as Error
    const reason = `sealing stopped when ${done} of ${files.size + 2} files were written (${message}); signedimp unseal takes it back`
    throw new Error(reason, { cause })
  }
}
