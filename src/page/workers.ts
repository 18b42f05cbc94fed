import type { PageBoot, WithWorkers } from './context.js'
import { notEnforceable } from './refuse.js'

/**
 * Runs the file that guards workers, where the build has one: the page manifest then lists it.
 * @param run runs a listed file, checked
 * @throws SignedImpError `ERR_SIGNEDIMP_NOT_ENFORCEABLE`
 */
export async function startGuard(
  context: Pick<PageBoot, 'manifest'> & WithWorkers,
  run: (path: string) => Promise<unknown>,
): Promise<void> {
  const { files } = context.manifest
  const file = [...files.keys()].find((path) => /^signedimp-workers-\w{16}\.js$/.test(path))
  if (file === undefined) return
  await run(file)
  if (!context.workers) throw notEnforceable('no guard of workers', file)
}
