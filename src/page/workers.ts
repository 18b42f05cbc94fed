import type { ModuleBoot, PageBoot, WithWorkers } from './context.js'
import { notEnforceable } from './refuse.js'

/** What is guarded: a page, or a page by an entry. */
export type Guarded = Pick<PageBoot, 'manifest'> & WithWorkers & Partial<Pick<ModuleBoot, 'id'>>

/**
 * Runs the file that guards workers, where the build has one: then the manifest lists it.
 * @param run runs a listed file, checked
 * @throws SignedImpError `ERR_SIGNEDIMP_NOT_ENFORCEABLE`
 */
export async function startGuard(
  { manifest, workers, id }: Guarded,
  run: (path: string) => Promise<unknown>,
): Promise<void> {
  const own = id === undefined ? /^signedimp-workers-\w{16}\.js$/ : /^signedimp-entry-workers-/
  const file = [...manifest.files.keys()].find((path) => own.test(path))
  if (file === undefined || workers!.prepareFor) return
  await run(file)
  if (!workers!.prepareFor) throw notEnforceable('no guard of workers', file)
}
