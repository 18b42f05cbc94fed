/** `fetch` for files that are checked before anybody gets them: whole or not at all. */

const accepted: [name: keyof RequestInit, values: unknown[]][] = [
  ['method', ['GET', 'get']],
  ['body', [null]],
  ['redirect', ['error']],
  ['mode', ['cors', 'same-origin']],
]

/** @throws TypeError on what would bring no whole body, or one from elsewhere */
export function checkInit(init: RequestInit): void {
  for (const [name, values] of accepted)
    if (init[name] !== undefined && !values.includes(init[name]))
      throw new TypeError(`"${name}" must be ${values.join(' or ')}, got ${String(init[name])}`)
  if (new Headers(init.headers).has('range'))
    throw new TypeError('"headers" must have no Range: only a whole file can be checked')
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

/** A response like the server's, but for its body, which was read. */
export function toResponse(
  bytes: Uint8Array<ArrayBuffer>,
  { status, statusText, headers, url }: Response,
): Response {
  const response = new Response(bytes, { status, statusText, headers })
  return Object.defineProperty(response, 'url', { value: url })
}

/** What bytes are now, whatever their owner makes of them. @throws TypeError on what are none */
export function copyBytes(bytes: unknown): Uint8Array<ArrayBuffer> {
  if (bytes instanceof ArrayBuffer) return new Uint8Array(bytes.slice(0))
  if (ArrayBuffer.isView(bytes))
    return Uint8Array.from(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  throw new TypeError(`"bytes" must be an ArrayBuffer or a view of one, got ${typeof bytes}`)
}
