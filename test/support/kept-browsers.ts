import { selectedEngines, whyMissing } from './binaries.ts'
import { addressVariable, startBrowser, type JoinableName } from './browser-processes.ts'
import type { Helper } from './processes.ts'

/**
 * Browsers that serve one test file after the other, since to start them takes longer than most tests. What they keep
 * apart is what they keep apart within a file: each page has a context of its own.
 */
export class KeptBrowsers {
  readonly #running = new Map<JoinableName, Helper>()

  /** Environment by which a test file finds them. Starts those that do not run; one that does not start is left out. */
  async environment(engines: string | undefined): Promise<Record<string, string>> {
    const names = (['chromium', 'firefox'] as const).filter(
      (name) => selectedEngines(engines).includes(name) && !whyMissing(name),
    )
    const found = await Promise.all(
      names.map(async (name) => [addressVariable[name], await this.#addressOf(name)] as const),
    )
    return Object.fromEntries(found.filter(([, address]) => address !== ''))
  }

  /** The file itself starts what cannot be started here, and says why it cannot. */
  async #addressOf(name: JoinableName): Promise<string> {
    const running = this.#running.get(name)
    if (running && running.child.exitCode === null && running.child.signalCode === null)
      return running.ready
    const started = await startBrowser(name).catch(() => undefined)
    if (started) this.#running.set(name, started)
    return started?.ready ?? ''
  }

  /** Ends them: nobody knows what a file that failed has left in them. */
  async end(): Promise<void> {
    const running = [...this.#running.values()]
    this.#running.clear()
    await Promise.all(running.map((helper) => helper.stop()))
  }
}
