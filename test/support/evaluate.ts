import { setTimeout as sleep } from 'node:timers/promises'

/** A function whose source runs in the page, or the source of an expression. */
export type InPage<T, A extends unknown[]> = ((...args: A) => T | Promise<T>) | string

/**
 * The expression that a page evaluates: its value is a promise of JSON text. Values and errors take the
 * same way in every engine, so that tests see the same errors in all of them.
 */
export function expressionOf<A extends unknown[]>(work: InPage<unknown, A>, args: A): string {
  const call =
    typeof work === 'string' && args.length === 0
      ? `(${work}\n)`
      : `(${work}\n)(...${JSON.stringify(args)})`
  // The loader that runs the tests wraps inner functions in __name(), which no page has. Firefox lifts
  // a ban on eval from what runs at once, hence the await.
  return `(async (__name) => {
    try {
      await undefined
      return JSON.stringify({ value: await ${call} })
    } catch (error) {
      const isError = error instanceof Error
      return JSON.stringify({
        error: isError
          ? { name: error.name, message: error.message, code: error.code, stack: error.stack }
          : { name: 'Thrown', message: String(error) },
      })
    }
  })((named) => named)`
}

/** What a page answered, as a value, or thrown when it was an error; `name`, `message` and `code` are kept. */
export function valueOf<T>(answer: unknown): T {
  if (typeof answer !== 'string')
    throw new Error(`the page answered ${JSON.stringify(answer)} instead of JSON`)
  const { value, error } = JSON.parse(answer) as { value: T; error?: PageError }
  if (error === undefined) return value
  const { name, message, code, stack } = error
  const thrown = Object.assign(new Error(message), { name, ...(code !== undefined && { code }) })
  if (stack) thrown.stack = `${thrown.stack}\n    in the page: ${stack}`
  throw thrown
}

interface PageError {
  name: string
  message: string
  code?: string
  stack?: string
}

/** Calls `probe` until it gives something truthy; the error after `timeoutMs` names the last value. */
export async function poll<T>(
  probe: () => Promise<T>,
  what: string,
  timeoutMs: number,
): Promise<T> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    let last: string
    try {
      const value = await probe()
      if (value) return value
      last = `last value: ${JSON.stringify(value)}`
    } catch (error) {
      // A page that is on its way to another one has nothing to ask; the next look finds the new one.
      last = `last error: ${error}`
    }
    if (Date.now() >= deadline) throw new Error(`waited ${timeoutMs} ms for ${what}; ${last}`)
    await sleep(50)
  }
}
