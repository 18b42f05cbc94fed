import { SignedImpError } from '../errors.js'
import type { Mapped, PageBoot } from './context.js'
import { diagnose } from './diagnose.js'
import { parsed } from './events.js'
import type { Prove } from './prove.js'
import { showRefusal } from './refuse.js'

/** The paths of the main chunks that a page names. */
export const mainsOf = ({ entry }: PageBoot): string[] => entry!.split(' ').map(decodeURIComponent)

/** Starts a page's main chunk once the parser has read the whole document, which is when module scripts run. */
export async function start(context: Mapped, prove: Prove, path: string): Promise<void> {
  try {
    await parsed()
    if ((await context.byTag(context.toUrl(path) + context.salt)) === 'load')
      return watch(context, prove, path)
    const reason =
      'the browser refused it, and a second fetch saw the signed bytes; reload the page'
    throw (
      (await diagnose(context, prove(path))) ??
      new SignedImpError('ERR_SIGNEDIMP_REFUSED', reason, { path })
    )
  } catch (error) {
    showRefusal(error as Error)
  }
}

/** A tag reports a module that cannot be linked, as after a redirect, like one that throws; only `import()` tells. */
function watch(context: Mapped, prove: Prove, path: string): void {
  import(context.toUrl(path)).catch(async (error) => {
    const found = error instanceof TypeError && (await diagnose(context, prove(path)))
    if (found) showRefusal(found)
  })
}
