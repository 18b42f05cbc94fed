/**
 * Loads what the browser refuses for good. Firefox never fetches again what it failed to fetch once, so it is fetched
 * here, hashed, and linked in memory. What the browser has is not touched: what is linked imports it under the page's map.
 */
import { SignedImpError } from '../errors.js'
import type { Claims } from './claims.js'
import type { Mapped } from './context.js'
import type { Load } from './import.js'
import { createLinked, type Linked } from './linked.js'
import { isLoadFailure, refusedOnce } from './load-failure.js'
import type { Prove } from './prove.js'

/** @returns loads a listed module, and what the browser does not have of all that it imports */
export function createRelink(context: Mapped, prove: Prove, claims: Claims): Load {
  const native = (path: string) => (claims.isNative(path) ? context.toUrl(path) : undefined)
  let linked: Promise<Linked> | undefined

  async function create(): Promise<Linked> {
    // Where a policy goes by nonces, a tag may do what import() may not.
    const isAllowed = await importModule(URL.createObjectURL(new Blob([], script))).then(
      () => true,
      () => false,
    )
    const byTag = isAllowed ? {} : { byTag: context.run }
    return createLinked({ ...context, ...byTag }, importModule, { native })
  }

  return async (path, options) => {
    try {
      if (!(await claims.link(prove(path)))) throw refusedOnce(path, 'try again')
      const { link, evaluate } = await (linked ??= create())
      return await evaluate(await link(path), options)
    } catch (error) {
      throw isFinal(error) ? refusedOnce(path, 'reload the page', error) : error
    }
  }
}

const script = { type: 'text/javascript' }

const importModule = (url: string, options?: ImportCallOptions): Promise<unknown> =>
  options ? import(url, options) : import(url)

/** Blobs are blocked, or modules import one another in a circle, and nothing stands in for them. */
const isFinal = (error: unknown): boolean =>
  isLoadFailure(error) ||
  (error instanceof SignedImpError && error.code === 'ERR_SIGNEDIMP_NOT_ENFORCEABLE')
