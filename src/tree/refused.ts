import { SignedImpError } from '../errors.js'

/** A file that is not as it was signed. */
export interface FileProblem {
  path: string
  problem: 'changed' | 'missing' | 'unlisted'
  /** What is wrong with it, where `problem` does not say all. */
  reason?: string
}

/** How many problems the message of an error names; `problems` holds all. */
const named = 5

/** A folder that is not as it was signed; `code` is `ERR_SIGNEDIMP_FILES`. */
export class FilesRefusedError extends SignedImpError {
  /** Every file that differs, in a manifest's order. */
  readonly problems: readonly FileProblem[]

  constructor(problems: readonly FileProblem[]) {
    super('ERR_SIGNEDIMP_FILES', summary(problems))
    this.problems = problems
  }
}

function summary(problems: readonly FileProblem[]): string {
  const list = problems.slice(0, named).map(describeProblem).join(', ')
  const rest = problems.length - named
  const count = problems.length === 1 ? '1 file is' : `${problems.length} files are`
  return `${count} not as signed: ${list}${rest > 0 ? ` and ${rest} more` : ''}`
}

/** A problem in a few words. */
export const describeProblem = ({ path, problem, reason }: FileProblem): string =>
  `${path} ${problem}${reason ? ` (${reason})` : ''}`
