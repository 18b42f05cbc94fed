import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'

/** A helper process of a test: a browser, a driver, a display. */
export interface Helper {
  readonly child: ChildProcess
  /** What the `ready` pattern captured, or an empty string without a pattern. */
  readonly ready: string
  /** Ends the process and whatever it started, and waits until it is gone. */
  stop(): Promise<void>
}

export interface HelperOptions {
  /** Waits for this in the output; its first group becomes `ready`. */
  ready?: RegExp
  env?: Record<string, string>
  timeoutMs?: number
}

const marks = new Set<string>()
const folders = new Set<string>()

/** Starts a process that never outlives this one: not after a failed test, not after an interrupt. */
export async function startHelper(
  binary: string,
  args: string[],
  { ready, env, timeoutMs = 30_000 }: HelperOptions = {},
): Promise<Helper> {
  endHelpersOnExit()
  const mark = randomUUID()
  marks.add(mark)
  const child = spawn(binary, args, {
    env: { ...process.env, ...env, SIGNEDIMP_HELPER: mark },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const gone = new Promise<void>((done) =>
    child.once('exit', () => done()).once('error', () => done()),
  )
  const stop = async () => {
    child.kill('SIGKILL')
    endMarked(mark)
    await gone
    marks.delete(mark)
  }
  try {
    return { child, ready: await firstMatch(child, ready, binary, timeoutMs), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function firstMatch(
  child: ChildProcess,
  ready: RegExp | undefined,
  binary: string,
  timeoutMs: number,
) {
  return new Promise<string>((resolve, reject) => {
    let output = ''
    const fail = (what: string) =>
      reject(new Error(`${binary} ${what}; it printed: ${output.slice(-2000)}`))
    const timer = setTimeout(fail, timeoutMs, `was not ready after ${timeoutMs} ms`)
    const succeed = (text: string) => (clearTimeout(timer), resolve(text))
    child.once('spawn', () => ready ?? succeed(''))
    child.once('error', (error) => (clearTimeout(timer), fail(error.message)))
    child.once('exit', (code, signal) => (clearTimeout(timer), fail(`ended (${signal ?? code})`)))
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (chunk: Buffer) => {
        // Read for ever, so that the pipe never fills, but keep only what start-up can need.
        if (output.length < 100_000) output += chunk
        const match = ready?.exec(output)
        if (match) succeed(match[1] ?? match[0])
      })
    }
  })
}

/** A new empty folder, removed when this process ends. */
export function scratchFolder(parent = tmpdir()): string {
  endHelpersOnExit()
  const folder = mkdtempSync(join(parent, 'signedimp-test-'))
  folders.add(folder)
  return folder
}

/**
 * Ends, by id, every process whose environment carries `mark`: children of children too, which a
 * signal to the child alone does not reach (WebKitWebDriver, for one, leaves its browser behind).
 * Linux only; elsewhere it finds nothing.
 */
export function endMarked(mark: string): number {
  let ended = 0
  for (const id of processIds()) {
    if (id === process.pid || !environmentOf(id).includes(mark)) continue
    try {
      process.kill(id, 'SIGKILL')
      ended++
    } catch {
      // It ended by itself meanwhile.
    }
  }
  return ended
}

function processIds(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

function environmentOf(id: number): string {
  try {
    return readFileSync(`/proc/${id}/environ`, 'latin1')
  } catch {
    return ''
  }
}

function endHelpers() {
  for (const mark of marks) endMarked(mark)
  for (const folder of folders) {
    try {
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
    } catch {
      // A browser that is dying may still write to its own; that must not keep the others.
    }
  }
}

let watching = false

function endHelpersOnExit() {
  if (watching) return
  watching = true
  process.on('exit', endHelpers)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // Whoever has something to say before the end ends by themselves.
    if (process.listenerCount(signal) === 0)
      process.once(signal, () => process.exit(128 + constants.signals[signal]))
  }
}
