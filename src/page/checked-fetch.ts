import type { SignedImpError } from '../errors.js'
import type { Boot } from './context.js'
import { integrityOf } from '../manifest/import-map.js'
import { explain } from './linked.js'
import { isRefusal, notEnforceable } from './refuse.js'

/**
 * Gets a listed file, as it is signed or not at all.
 * @param request a `GET`, however it came about
 * @throws SignedImpError on anything but the signed bytes; what `request.signal` was aborted with
 */
export type CheckedFetch = (request: Request, path: string) => Promise<Response>

/**
 * Makes what fetches listed files with the manifest's hash, which the browser itself compares (SRI §3, Fetch "main
 * fetch"): what comes is its own response, once all of it is there.
 * @param tell told of each refusal
 */
export function createCheckedFetch(
  context: Boot,
  tell: (refused: SignedImpError) => unknown,
): CheckedFetch {
  // Called as a function and not as a method, which it would not be.
  const { fetch, manifest } = context

  const ask = async (request: Request, path: string): Promise<Response | undefined> => {
    const integrity = integrityOf(manifest, path)
    const { referrer, referrerPolicy } = request
    // No members from anywhere else; those of the first request that a second one forgets.
    const init = { __proto__: null, referrer, referrerPolicy, integrity } as RequestInit
    const checked = new Request(request, init)
    if (checked.integrity !== integrity) throw notEnforceable('fetch checks no integrity', path)
    const response = await fetch(checked).catch(() => undefined)
    // An integrity holds for every status: what is right may come as a part, or as a page that says it is not there.
    return response?.status === 200 ? response : undefined
  }

  const get: CheckedFetch = async (request, path) => {
    refuseParts(request, path)
    const response = await ask(request, path)
    if (response) return response
    const refused = request.signal.aborted ? undefined : await explain(context, path)
    request.signal.throwIfAborted()
    throw refused
  }

  return (request, path) =>
    get(request, path).catch((error) => {
      if (isRefusal(error)) tell(error)
      throw error
    })
}

/** @throws SignedImpError `ERR_SIGNEDIMP_NOT_ENFORCEABLE` on what no browser compares */
function refuseParts({ headers, mode, url }: Request, path: string): void {
  if (headers.has('range')) throw notEnforceable('a part of a file', path)
  if (mode === 'no-cors' && new URL(url).origin !== self.origin)
    throw notEnforceable('mode no-cors', path)
}
