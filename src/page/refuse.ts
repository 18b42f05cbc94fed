import { SignedImpError } from '../errors.js'
import { refusal } from '../manifest/refusal.js'

/** The refusal to go on where the browser was not seen to enforce the map. */
export const notEnforceable = (found: string, path?: string): SignedImpError =>
  refusal('NOT_ENFORCEABLE', found, path)

/** By its code, for each file of ours has a class of its own. */
export const isRefusal = (error: unknown): error is SignedImpError =>
  `${(error as { code?: unknown } | null | undefined)?.code}`.startsWith('ERR_SIGNEDIMP_')

/**
 * Tells the page of a refusal, once: a cancelable `signedimp:refusal` event on `window` whose `detail` is the error.
 * @returns whether nobody cancelled it, that is, nobody shows something of their own
 */
export const announce = (error: SignedImpError): boolean =>
  dispatchEvent(new CustomEvent('signedimp:refusal', { cancelable: true, detail: error }))

/** Says why the app did not start: to `error` listeners and the console, as an uncaught error, and to the reader. */
export function showRefusal(refused: SignedImpError, tell = announce): void {
  reportError(refused)
  if (tell(refused)) showNote(refused)
}

/** Says something to the reader, at the end of the page. */
export function showNote({ message }: Error): void {
  const note = document.createElement('p')
  note.role = 'alert'
  note.textContent = message
  document.documentElement.append(note)
}
