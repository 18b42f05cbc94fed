import { availableParallelism, constants } from 'node:os'
import { stopCommands } from './command.ts'
import { longestFirst, type TestFile } from './files.ts'
import { KeptBrowsers } from './kept-browsers.ts'
import type { Report } from './report.ts'
import { runFile, type Result } from './run-file.ts'

/** How long a file may take; one whose every variant runs in every engine takes longer. */
const timeoutOf = (env: Record<string, string>) =>
  Number(process.env.SIGNEDIMP_TEST_TIMEOUT_MS) || (env.SIGNEDIMP_FULL ? 60 : 10) * 60_000

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

/** How many files run at once: those in browsers wait now and then, which leaves a core to one more. */
const lanes = Math.min(availableParallelism(), 3) + 1

/**
 * Runs test files, several at a time. One lane begins with those that need no browser, which say soonest what is wrong; the
 * others with those that wait for browsers, the longest first, so that none is left alone at the end.
 */
export async function runFiles(
  report: Report,
  files: readonly TestFile[],
  env: Record<string, string> = {},
): Promise<void> {
  const browsing = longestFirst(files.filter(({ browsers }) => browsers))
  const plain = files.filter(({ browsers }) => !browsers)
  const orders = [[plain, browsing], ...Array(lanes - 1).fill([browsing, plain])] as TestFile[][][]
  await Promise.all(orders.map((order) => runLane(report, order, env)))
}

/** Runs one file after the other, as long as the queues, which the lanes share, have any. */
async function runLane(report: Report, queues: TestFile[][], env: Record<string, string>) {
  const kept = new KeptBrowsers()
  for (;;) {
    const file = queues.find((queue) => queue.length > 0)?.shift()
    if (!file || interrupted) return kept.end()
    const { failed } = await report.follow(file.path, runIn(kept, file, env))
    if (failed > 0) await kept.end()
  }
}

async function runIn(
  kept: KeptBrowsers,
  { path, browsers }: TestFile,
  env: Record<string, string>,
) {
  const found = browsers ? await kept.environment(env.SIGNEDIMP_ENGINES) : {}
  return runFile(path, timeoutOf(env), { ...env, ...found })
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
