import { SignedImpError } from '../errors.js'
import type { FileProblem } from '../tree/refused.js'

/** How a command failed: what a script and a person are told. */
export interface Failure {
  /** 1: what was looked at is refused. 2: it could not be looked at. */
  status: 1 | 2
  /** What `--json` prints. */
  data: {
    error: { code?: string; message: string; path?: string; problems?: readonly FileProblem[] }
  }
}

/** Refusals that are about the means and not about the bytes. */
const aboutTheMeans = new Set([
  'ERR_SIGNEDIMP_KEY',
  'ERR_SIGNEDIMP_PASSWORD',
  'ERR_SIGNEDIMP_NETWORK',
  'ERR_SIGNEDIMP_TIMEOUT',
])

const systemErrors = new Map([
  ['ENOENT', 'no such file or folder'],
  ['ENOTDIR', 'not a folder'],
  ['EISDIR', 'a folder, where a file is needed'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'not permitted'],
  ['EROFS', 'on a read-only disk'],
  ['ENOSPC', 'no space left'],
])

/** What codes mean whose messages are short, because pages carry them too. */
const meanings = new Map<string | undefined, string>([
  [
    'ERR_SIGNEDIMP_MANIFEST_INVALID',
    'The manifest is damaged, or something else: the line is the first that is not as it must be.',
  ],
  [
    'ERR_SIGNEDIMP_SIGNATURE',
    'The manifest was changed after it was signed, or not signed with enough of these keys.',
  ],
  ['ERR_SIGNEDIMP_NAME', 'The manifest is signed, but for another app or channel.'],
  ['ERR_SIGNEDIMP_ROLLBACK', 'The manifest is signed, but older than what was asked for.'],
])

/** A sentence about a failure for a person who has to do something about it. */
export const meaningOf = ({ data }: Failure): string[] => {
  const meaning = meanings.get(data.error.code)
  return meaning ? [meaning] : []
}

/** What to tell about an error. */
export function failureOf(error: unknown): Failure {
  const { code, message, path, problems } = error as Partial<SignedImpError> & {
    problems?: readonly FileProblem[]
  }
  const refused = error instanceof SignedImpError && !aboutTheMeans.has(error.code)
  const words = (code && systemErrors.get(code)) ?? message ?? String(error)
  return {
    status: refused ? 1 : 2,
    data: {
      error: {
        ...(code && { code }),
        message: code && systemErrors.has(code) && path ? `${path}: ${words}` : words,
        ...(path && { path }),
        ...(problems && { problems }),
      },
    },
  }
}
