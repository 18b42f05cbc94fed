import type { EngineName } from './binaries.ts'
import type { InPage } from './evaluate.ts'

/** A running browser engine. */
export interface Engine {
  readonly name: EngineName
  readonly version: string
  /** Opens a page that shares no cache, cookies or storage with any other. */
  open(url?: string): Promise<Page>
  close(): Promise<void>
}

/** One page (tab) of an engine. */
export interface Page {
  /**
   * Resolves when the page has loaded, or after `timeoutMs` (10 s) when it never does, which is no error.
   * Throws when nothing can be opened at all: connection refused, unknown host.
   */
  goto(url: string, timeoutMs?: number): Promise<void>
  /**
   * Runs `work` in the page's main realm, awaits it, and returns its JSON value; what it throws is thrown
   * here with the same `name`, `message` and `code`. The function is sent as text: it sees only its `args`.
   */
  evaluate<T, A extends unknown[] = []>(work: InPage<T, A>, ...args: A): Promise<T>
  /** Evaluates `work` until it gives something truthy, for at most `timeoutMs` (10 s). */
  waitFor<T>(work: InPage<T, []>, timeoutMs?: number): Promise<T>
  /** Console messages and uncaught errors so far, as `log: …`, `error: …`, `uncaught: …`. Always empty in WebKit. */
  messages(): string[]
  /** Writes a PNG. */
  screenshot(file: string): Promise<void>
  close(): Promise<void>
}
