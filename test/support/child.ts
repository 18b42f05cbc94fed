import type { ChildProcess } from 'node:child_process'

/** How a process ended, and what it said. */
export interface ChildRun {
  status: number | null
  stdout: string
  stderr: string
}

/** Waits for a process whose output is piped. */
export async function endOf(child: ChildProcess): Promise<ChildRun> {
  const run: ChildRun = { status: null, stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name]!.setEncoding('utf8').on('data', (text: string) => (run[name] += text))
  run.status = await new Promise((settle, fail) => child.once('error', fail).once('close', settle))
  return run
}
