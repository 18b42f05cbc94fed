import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCommand } from './command.ts'
import type { Note } from './skip.ts'

/** What a stage or a test file adds to the sums. */
export interface Result {
  name: string
  passed: number
  failed: number
  skipped: number
  notes: Note[]
  seconds: number
  /** What is wrong besides failed tests. */
  problem?: string | undefined
  /** Printed when something failed. */
  output: string
}

/** Runs one test file in a process of its own, and reads what uvu says about it. */
export async function runFile(
  path: string,
  timeoutMs: number,
  env: Record<string, string> = {},
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'signedimp-notes-'))
  const file = join(folder, 'notes.jsonl')
  try {
    const args = ['--import', 'tsx', path]
    const ended = await runCommand(process.execPath, args, {
      timeoutMs,
      env: { ...env, SIGNEDIMP_TEST_NOTES: file },
    })
    const notes = existsSync(file)
      ? readFileSync(file, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as Note)
      : []
    const { output, seconds } = ended
    return { name: path, notes, output, seconds, ...judge(ended, notes) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Exported for its test. */
export function judge(
  { code, output, stopped }: { code: number | null; output: string; stopped: string | undefined },
  notes: Note[],
): Pick<Result, 'passed' | 'failed' | 'skipped' | 'problem'> {
  const counts = countsIn(output)
  const { total, passed, skipped } = counts ?? { total: 0, passed: 0, skipped: 0 }
  const failed = total - passed
  const problem =
    stopped ?? problemOf(code, counts !== undefined, total + skipped + notes.length, failed)
  return { passed, failed: failed || (problem ? 1 : 0), skipped, problem }
}

function problemOf(code: number | null, counted: boolean, tests: number, failed: number) {
  if (!counted) return `ended with ${code} before its tests were done`
  if (tests === 0) return 'ran no test'
  if (code !== 0 && failed === 0) return `ended with ${code} though no test failed`
  return undefined
}

/** uvu's last words; tests themselves may print such lines before. */
function countsIn(output: string) {
  const found = [
    ...output.matchAll(/^ {2}Total: +(\d+)\n {2}Passed: +(\d+)\n {2}Skipped: +(\d+)\n/gm),
  ].at(-1)
  if (!found) return undefined
  const [total, passed, skipped] = found.slice(1).map(Number) as [number, number, number]
  return { total, passed, skipped }
}
