/**
 * Errors of signedimp: one class, one stable code for each reason to refuse.
 * @module
 */

/** Every code a {@link SignedImpError} can carry. Codes are stable: they are never renamed or given another meaning. */
export type SignedImpCode =
  // What a page, a program or a tool refuses.
  | 'ERR_SIGNEDIMP_CHANGED'
  | 'ERR_SIGNEDIMP_UNLISTED'
  | 'ERR_SIGNEDIMP_MISSING'
  | 'ERR_SIGNEDIMP_NETWORK'
  | 'ERR_SIGNEDIMP_TIMEOUT'
  | 'ERR_SIGNEDIMP_REFUSED'
  | 'ERR_SIGNEDIMP_VERSION_SKEW'
  | 'ERR_SIGNEDIMP_NOT_ENFORCEABLE'
  | 'ERR_SIGNEDIMP_MANIFEST_INVALID'
  | 'ERR_SIGNEDIMP_SIGNATURE'
  | 'ERR_SIGNEDIMP_NAME'
  | 'ERR_SIGNEDIMP_ROLLBACK'
  | 'ERR_SIGNEDIMP_EXPIRED'
  // What a build or a tool refuses.
  | 'ERR_SIGNEDIMP_FILES'
  | 'ERR_SIGNEDIMP_PATH'
  | 'ERR_SIGNEDIMP_KEY'
  | 'ERR_SIGNEDIMP_PASSWORD'
  | 'ERR_SIGNEDIMP_KEY_EXPOSED'
  | 'ERR_SIGNEDIMP_NOT_COVERED'
  | 'ERR_SIGNEDIMP_OUTPUT'
  | 'ERR_SIGNEDIMP_LATE_WRITE'
  // What only a tool refuses.
  | 'ERR_SIGNEDIMP_ZIP'
  | 'ERR_SIGNEDIMP_RELEASE'

/** What a refusal is about, beside its code. */
export interface SignedImpErrorDetails {
  /** The file that is refused: its path in the manifest, or the URL or specifier where it has none. */
  path?: string | undefined
  /** What led to the refusal. */
  cause?: unknown
}

/**
 * Bytes, a key or an output that signedimp refuses. Mistakes of a caller (an unknown option, a wrong
 * type) are `TypeError`s instead. Compare `code`, not `instanceof`: a page carries its own copy of this class.
 */
export class SignedImpError extends Error {
  /** The stable code. */
  declare readonly code: SignedImpCode
  /** The file that is refused, where it is one. */
  declare readonly path: string | undefined
  /** What was found, and what to do about it. */
  declare readonly reason: string

  /** @param reason What was found, and what to do about it, in one or two sentences. */
  constructor(code: SignedImpCode, reason: string, details?: SignedImpErrorDetails) {
    const path = details?.path
    super(`${code} ${path ? path + ': ' : ''}${reason}`, details)
    this.name = 'SignedImpError'
    this.code = code
    this.path = path
    this.reason = reason
  }
}
