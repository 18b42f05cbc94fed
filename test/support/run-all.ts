import { constants } from 'node:os'
import { stopCommands } from './command.ts'
import type { TestFile } from './files.ts'
import type { Report } from './report.ts'
import { runFile, type Result } from './run-file.ts'

const timeoutMs = Number(process.env.SIGNEDIMP_TEST_TIMEOUT_MS) || 10 * 60_000

let interrupted: NodeJS.Signals | undefined

/** Runs one thing after the other, until the run is interrupted. */
export async function runStages(
  report: Report,
  stages: [string, () => Promise<Result>][],
): Promise<void> {
  for (const [name, stage] of stages) {
    if (!interrupted) await report.follow(name, stage())
  }
}

/**
 * Runs test files, two at a time; those that start browsers come last. They wait for them most of the time, so that two of
 * them take little longer than one.
 */
export async function runFiles(
  report: Report,
  files: readonly TestFile[],
  env: Record<string, string> = {},
): Promise<void> {
  const queue = [false, true]
    .flatMap((browsers) => files.filter((file) => file.browsers === browsers))
    .values()
  const work = async () => {
    for (const { path } of queue) {
      if (interrupted) return
      await report.follow(path, runFile(path, timeoutMs, env))
    }
  }
  await Promise.all([work(), work()])
}

/** On an interrupt, ends what runs; the run then ends with what it has, and fails. */
export function stopOnInterrupt(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      interrupted = signal
      stopCommands(`interrupted by ${signal}`)
    })
  }
}

/** Whether what has run is not all that should have. */
export function wasInterrupted(): boolean {
  return interrupted !== undefined
}

/** Prints the end of the report, and gives the code to exit with. */
export function endOf(report: Report): number {
  const code = report.end()
  return interrupted ? 128 + constants.signals[interrupted] : code
}
