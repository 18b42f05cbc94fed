import { SignedImpError, type SignedImpCode } from '../errors.js'

/** A refusal; `code` without its prefix, which every code shares. */
export const refusal = (
  code: SignedImpCode extends `ERR_SIGNEDIMP_${infer Short}` ? Short : never,
  reason: string,
  path?: string,
  cause?: unknown,
): SignedImpError =>
  new SignedImpError(
    `ERR_SIGNEDIMP_${code}`,
    reason,
    path === undefined ? { cause } : { path, cause },
  )

/**
 * Tells the page of a refusal, once: a cancelable `signedimp:refusal` event on `window` whose `detail` is the error.
 * @returns whether nobody cancelled it, that is, nobody shows something of their own
 */
export const announce = (error: SignedImpError): boolean =>
  dispatchEvent(new CustomEvent('signedimp:refusal', { cancelable: true, detail: error }))

/** Shows why the app did not start: to the console, to `error` listeners as an uncaught error, and to the reader. */
export function showRefusal(error: SignedImpError): void {
  reportError(error)
  if (!announce(error)) return
  const note = document.createElement('p')
  note.setAttribute('role', 'alert')
  note.textContent = error.message
  ;(document.body ?? document.documentElement).prepend(note)
}
