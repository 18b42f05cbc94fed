import { emitOutput, type Emitted, type Release } from '../emit/emit.js'
import type { Output } from '../emit/output.js'
import type { InlinedWorker } from '../emit/workers.js'
import type { Parse } from '../emit/reassigned.js'
import { createReport, type Report } from '../emit/report.js'
import type { ResolvedOptions } from './options.js'

/** An output that is signed in memory. */
export interface SignedOutput {
  emitted: Emitted
  report: Report
}

/**
 * Signs an output in memory: what all adapters do with what their bundlers made.
 * @param started when work on it began, of `performance.now()`
 * @throws as {@link emitOutput} does
 */
export async function signOutput(
  output: Output,
  release: Release,
  {
    options,
    started,
    parse,
    inlined,
  }: {
    options: ResolvedOptions
    started: number
    parse?: Parse | undefined
    inlined?: InlinedWorker[]
  },
): Promise<SignedOutput> {
  const emitted = await emitOutput(output, release, parse, inlined)
  const milliseconds = performance.now() - started
  const rest = { oneTimeKey: !options.key, milliseconds }
  return { emitted, report: createReport(output, emitted, release, rest) }
}

/** What every build says that somebody else is to sign. */
export const notSigned =
  'signedimp: NOT SIGNED YET: the pages of this build refuse to start; run signedimp sign <folder> --key <private key>'
