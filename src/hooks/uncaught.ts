/** How a program ends whose refusal nobody has caught: with one line, for whoever reads the log. */
import { writeSync } from 'node:fs'
import { indexOf, slice } from './captured.js'

/** Where the program has a way of its own with errors, it is left to that. */
export function sayUncaught(): void {
  const exit = process.exit.bind(process)
  const write = writeSync
  process.on('uncaughtExceptionMonitor', (error: unknown) => {
    const { message } = (error ?? {}) as { message?: unknown }
    const text = `${message as string}`
    // Deno wraps what hooks throw.
    const at = indexOf(text, 'ERR_SIGNEDIMP_', 0)
    if (at < 0 || isHandled()) return
    const end = indexOf(text, '\n', at)
    write(2, `signedimp: ${slice(text, at, end < 0 ? undefined : end)}\n`)
    exit(1)
  })
}

const isHandled = (): boolean =>
  process.listenerCount('uncaughtException') > 0 ||
  process.hasUncaughtExceptionCaptureCallback?.() === true
