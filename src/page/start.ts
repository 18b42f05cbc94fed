import type { SignedImpError } from '../errors.js'
import type { Known, Mapped, PageBoot } from './context.js'
import { diagnose } from './diagnose.js'
import { parsed } from './events.js'
import { explainUnresolved } from './external.js'
import { refusedOnce } from './load-failure.js'
import type { Prove } from './prove.js'
import { showRefusal } from './refuse.js'
import type { Tell } from './tell.js'

/** The paths of the main chunks that a page names. */
export const mainsOf = ({ entry }: PageBoot): string[] => entry!.split(' ').map(decodeURIComponent)

/** Starts a page's main chunk once the parser has read the whole document, which is when module scripts run. */
export async function start(
  context: Mapped,
  { prove, claims }: Known,
  tell: Tell,
  path: string,
): Promise<void> {
  try {
    const settle = claims.begin(prove(path))
    await parsed()
    const isLoaded = (await context.byTag(context.toUrl(path) + context.salt)) === 'load'
    settle(isLoaded)
    if (isLoaded) return watch(context, prove, tell, path)
    throw (await diagnose(context, prove(path))) ?? refusedOnce(path, 'reload the page')
  } catch (error) {
    showRefusal(error as SignedImpError, tell)
  }
}

/** A tag reports a module that cannot be linked, as after a redirect, like one that throws; only `import()` tells. */
function watch(context: Mapped, prove: Prove, tell: Tell, path: string): void {
  import(context.toUrl(path)).catch(async (error) => {
    if (!(error instanceof TypeError)) return
    const found = (await diagnose(context, prove(path))) ?? explainUnresolved(path, error)
    if (found) showRefusal(found, tell)
  })
}
