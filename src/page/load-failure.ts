import { SignedImpError } from '../errors.js'

/** How engines say that a module could not be fetched, as opposed to what a module throws (Chromium, Firefox, WebKit). */
const messages =
  /^(Failed to fetch|error loading) dynamically imported module|^Importing a module script failed|integrity mismatch$|MIME type\.$/

/** Whether the browser did not load a module: then nothing was evaluated of what it does not have already. */
export const isLoadFailure = (error: unknown): error is TypeError =>
  error instanceof TypeError && messages.test(error.message)

/** The refusal where a second fetch sees nothing wrong. @param remedy what to do about it */
export const refusedOnce = (path: string, remedy: string, cause?: unknown): SignedImpError =>
  new SignedImpError(
    'ERR_SIGNEDIMP_REFUSED',
    `the browser refused it, and a second fetch saw the signed bytes; ${remedy}`,
    { path, cause },
  )
