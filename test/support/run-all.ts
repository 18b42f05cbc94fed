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

/** Runs test files: two at a time, then those that start browsers one at a time. */
export async function runFiles(
  report: Report,
  files: TestFile[],
  env: Record<string, string> = {},
): Promise<void> {
  const light = files.filter((file) => !file.browsers)
  const heavy = files.filter((file) => file.browsers)
  const work = async (queue: TestFile[]) => {
    for (let file = queue.shift(); file && !interrupted; file = queue.shift()) {
      await report.follow(file.path, runFile(file.path, timeoutMs, env))
    }
  }
  await Promise.all([work(light), work(light)])
  await work(heavy)
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
