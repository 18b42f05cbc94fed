import { emitOutput } from '../emit/emit.js'
import { emitProgram } from '../emit/program.js'
import type { Emitted, Release } from '../emit/release.js'
import type { Output } from '../emit/output.js'
import type { InlinedWorker } from '../emit/workers.js'
import type { Parse } from '../emit/reassigned.js'
import { emitReportOnly } from '../emit/report-only.js'
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
  const emitted = await emitterFor(release)(output, release, parse, inlined)
  const milliseconds = performance.now() - started
  const rest = { oneTimeKey: !options.key, milliseconds }
  return { emitted, report: createReport(output, emitted, release, rest) }
}

function emitterFor({ program, reportOnly }: Release): typeof emitOutput {
  if (program !== undefined) return emitProgram
  return reportOnly === undefined ? emitOutput : emitReportOnly
}

/** What a build must say aloud, each time: that pages refuse nothing, or, until somebody else signs, everything. */
export const warningsOf = ({ signed, reportOnly, server }: Report): string[] => [
  ...(signed
    ? []
    : [
        `signedimp: NOT SIGNED YET: the ${server ? 'programs' : 'pages'} of this build ${reportOnly ? 'report that' : 'refuse to start'}; run signedimp sign <folder> --key <private key>`,
      ]),
  ...(reportOnly
    ? [
        "signedimp: mode is 'report-only': the pages of this build report what they would refuse, and REFUSE NOTHING",
        ...reportOnly.wouldFail.map(
          (message) => `signedimp: with mode 'on' this build fails: ${message}`,
        ),
      ]
    : []),
]
