import { runCommand } from './command.ts'
import { provision, provisionRuntimes } from './provision.ts'
import type { Result } from './run-file.ts'

/** An npm script as one test: it passes when it exits with 0. */
export async function npmStage(script: string): Promise<Result> {
  const { code, output, stopped, seconds } = await runCommand('npm', ['run', script], {
    timeoutMs: 10 * 60_000,
  })
  const problem = stopped ?? (code === 0 ? undefined : `npm run ${script} ended with ${code}`)
  return { ...resultOf(script, problem ? 'failed' : 'passed', seconds), output, problem }
}

const provided = { browsers: provision, runtimes: provisionRuntimes }

/** What tests need, as one test: skipped where it is missing and cannot be installed, which fails under CI. */
export async function provisionStage(title: keyof typeof provided): Promise<Result> {
  const start = performance.now()
  const { missing, output } = await provided[title]()
  const seconds = (performance.now() - start) / 1000
  const reason = `not installed: ${missing.join(', ')}`
  if (missing.length === 0) return { ...resultOf(title, 'passed', seconds), output }
  if (process.env.CI === 'true')
    return { ...resultOf(title, 'failed', seconds), output, problem: reason }
  console.log(output)
  const result = resultOf(title, 'skipped', seconds)
  return { ...result, output, notes: [{ kind: 'skipped', title, reason }] }
}

function resultOf(name: string, outcome: 'passed' | 'failed' | 'skipped', seconds: number): Result {
  return { name, passed: 0, failed: 0, skipped: 0, [outcome]: 1, notes: [], seconds, output: '' }
}
