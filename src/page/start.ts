import { SignedImpError } from '../errors.js'
import type { Mapped } from './context.js'
import { diagnose } from './diagnose.js'
import { parsed } from './events.js'
import { explainUnresolved } from './external.js'
import type { Prove } from './prove.js'
import { showRefusal } from './refuse.js'

/** Starts a page's main chunk once the parser has read the whole document, which is when module scripts run. */
export async function start(context: Mapped, prove: Prove, path: string): Promise<void> {
  try {
    prove(path)
    await parsed()
    if ((await context.run(path)) === 'load') return watch(context, prove, path)
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
    if (!(error instanceof TypeError)) return
    const found = (await diagnose(context, prove(path))) ?? explainUnresolved(path, error)
    if (found) showRefusal(found)
  })
}
