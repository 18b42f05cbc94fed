import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from './files.ts'
import { endMarked } from './processes.ts'

/** How a command ended. */
export interface Ended {
  code: number | null
  output: string
  /** Why it was ended from outside, if it was. */
  stopped: string | undefined
  seconds: number
}

/** Settings of {@link runCommand}. */
export interface CommandOptions {
  timeoutMs: number
  env?: Record<string, string>
}

const running = new Set<(reason: string) => void>()

// One for all commands, because the loader of TypeScript keeps its cache there.
const scratch = mkdtempSync(join(tmpdir(), 'signedimp-run-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true, maxRetries: 10 }))

/**
 * Runs a command in the checkout, in a process group of its own. When it ends, or is ended, nothing that it
 * started goes on. What it leaves in the temporary folder goes when this process ends.
 */
export async function runCommand(
  command: string,
  args: string[],
  { timeoutMs, env }: CommandOptions,
): Promise<Ended> {
  const start = performance.now()
  const mark = randomUUID()
  const child = spawn(command, args, {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...withoutColour(), TMPDIR: scratch, SIGNEDIMP_COMMAND: mark, ...env },
  })
  const output = collect(child)
  const { stopped, stop } = stopper(child)
  running.add(stop)
  const timer = setTimeout(() => stop(`stopped after ${timeoutMs / 1000} s`), timeoutMs)
  const code = await exitOf(child)
  clearTimeout(timer)
  running.delete(stop)
  signalGroup(child, 'SIGKILL')
  endMarked(mark)
  await output.complete
  return {
    code,
    output: output.text(),
    stopped: stopped(),
    seconds: (performance.now() - start) / 1000,
  }
}

/** Ends all commands that run now; they report it as `stopped`. */
export function stopCommands(reason: string): void {
  for (const stop of running) stop(reason)
}

function withoutColour(): NodeJS.ProcessEnv {
  const { FORCE_COLOR: _, ...env } = process.env
  return { ...env, NO_COLOR: '1' }
}

/** The last part of what the command prints; endless output must not end the runner. */
function collect(child: ChildProcess) {
  const limit = 4 << 20
  let text = ''
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-limit)
    })
  }
  const closed = new Promise<void>((done) => child.once('close', () => done()))
  // What the command left behind could hold the pipes open.
  const complete = exitOf(child).then(() =>
    Promise.race([closed, sleep(2000, undefined, { ref: false })]),
  )
  return { text: () => text, complete }
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((done, fail) => {
    child.once('exit', (code) => done(code))
    child.once('error', fail)
  })
}

/** Asks first, so that a test can tidy up; five seconds later it no longer asks. */
function stopper(child: ChildProcess) {
  let stopped: string | undefined
  const stop = (reason: string) => {
    stopped ??= reason
    signalGroup(child, 'SIGTERM')
    setTimeout(
      () => child.exitCode ?? child.signalCode ?? signalGroup(child, 'SIGKILL'),
      5000,
    ).unref()
  }
  return { stopped: () => stopped, stop }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals) {
  try {
    process.kill(-child.pid!, signal)
  } catch {
    // The group is gone.
  }
}
