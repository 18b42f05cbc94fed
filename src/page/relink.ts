/** Loads what the browser refuses for good, beside what it has. */
import { closureOf } from '../manifest/linking.js'
import type { Claims } from './claims.js'
import type { CreateLoad, Linkable, PageData } from './context.js'
import { namedPaths } from './external.js'
import { createLinked } from './linked.js'
import { refusedOnce } from './load-failure.js'
import { importNatively } from './native-import.js'

/**
 * Links in memory what the browser does not have. What it has stays what it is: blobs import it under the page's map.
 * @param context what the page's runtime goes by, whose own copy this is not
 */
export const createRelink =
  (context: Linkable & Pick<PageData, 'map'>): CreateLoad =>
  ({ prove, claims, keyOf }) => {
    const { imports } = context.manifest
    const named = new Set(namedPaths(context).flatMap((path) => [...closureOf(imports, path)]))
    const native = (path: string) => (claims.isNative(path) ? keyOf(path) : undefined)
    const { link, evaluate } = createLinked(context, importNatively, { native })
    return async (path, options) => {
      const paths = prove(path)
      // Who imports these no list says: the browser would load them once more for whoever does.
      if ([...paths].some((file) => named.has(file) && !claims.isNative(file)))
        throw refusedOnce(path, 'reload the page')
      if (!(await claimAll(claims, paths))) throw refusedOnce(path, 'try again')
      return evaluate(await link(path), options)
    }
  }

/** Longest time to wait for what the browser still loads, in milliseconds. */
const patience = 5000

/** @returns false when the browser takes too long, as when what it loads awaits these modules */
async function claimAll(claims: Claims, paths: ReadonlySet<string>): Promise<boolean> {
  let isLate = false
  const deadline = new Promise((settle) => setTimeout(settle, patience)).then(() => {
    isLate = true
  })
  for (let busy; (busy = claims.claim(paths)).length > 0;)
    if (isLate) return false
    else await Promise.race([deadline, ...busy])
  return true
}
