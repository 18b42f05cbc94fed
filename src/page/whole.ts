/** What is asked of files that are checked before anybody gets them: whole or not at all. */

/**
 * The request that a call of `fetch` makes.
 * @throws TypeError on what `fetch` does not take, and on what would bring no whole file
 */
export function toChecked(input: RequestInfo | URL, init?: RequestInit): Request {
  const request = new Request(input, init)
  if (request.method !== 'GET') throw new TypeError(`"method" must be GET, got ${request.method}`)
  if (request.headers.has('range'))
    throw new TypeError('"headers" must have no Range: only a whole file can be checked')
  return request
}

/** A signal that is aborted with the first of two. `AbortSignal.any` is younger than the engines that are supported. */
export function either(one: AbortSignal, other: AbortSignal): AbortSignal {
  const controller = new AbortController()
  for (const signal of [one, other]) {
    const abort = () => controller.abort(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
  }
  return controller.signal
}
