import picocolors from 'picocolors'
import type { Result } from './run-file.ts'

const terminal = process.stdout.isTTY === true
const { bold, dim, green, red, yellow } = picocolors.createColors(terminal)

/** Prints results as they come, and adds them up. */
export class Report {
  readonly #results: Result[] = []
  readonly #running = new Map<string, number>()
  readonly #ticker: NodeJS.Timeout | undefined

  constructor() {
    if (terminal) this.#ticker = setInterval(() => this.#progress(), 1000).unref()
  }

  /** Runs something that gives a result, and prints a line when it ends; the output only if it failed. */
  async follow(name: string, work: Promise<Result>): Promise<Result> {
    this.#running.set(name, Date.now())
    this.#progress()
    const result = await work
    this.#running.delete(name)
    this.#results.push(result)
    this.#clear()
    console.log(lineOf(result))
    if (result.failed > 0) console.log(indent(result.output))
    this.#progress()
    return result
  }

  /** Prints what was left out and the sums, which are the last line. Gives the exit code. */
  end(): number {
    clearInterval(this.#ticker)
    this.#clear()
    printNotSelected(this.#results)
    printSkipped(this.#results)
    const failures = this.#results.filter((result) => result.failed > 0)
    for (const { name, problem } of failures)
      console.log(red(`failed: ${name}${problem ? `: ${problem}` : ''}`))
    const sum = (key: 'passed' | 'failed' | 'skipped') =>
      this.#results.reduce((total, result) => total + result[key], 0)
    console.log(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`)
    return sum('failed') > 0 ? 1 : 0
  }

  #progress() {
    if (!terminal) return
    const now = Date.now()
    const names = [...this.#running].map(
      ([name, since]) => `${name} ${Math.round((now - since) / 1000)} s`,
    )
    process.stdout.write(
      `\r\x1b[K${dim(names.join(', ').slice(0, (process.stdout.columns || 80) - 1))}`,
    )
  }

  #clear() {
    if (terminal) process.stdout.write('\r\x1b[K')
  }
}

function lineOf({ name, passed, failed, skipped, seconds, problem }: Result): string {
  const counts = [
    `${passed} passed`,
    failed && red(`${failed} failed`),
    skipped && yellow(`${skipped} skipped`),
  ]
  const mark = failed > 0 ? red('✘') : passed > 0 ? green('✔') : yellow('-')
  const why = problem ? `: ${red(problem)}` : ''
  return `${mark} ${bold(name)} ${counts.filter(Boolean).join(', ')} ${dim(`${seconds.toFixed(1)} s`)}${why}`
}

/** What this run was told to leave out: how many, since nobody needs the names. */
function printNotSelected(results: Result[]) {
  for (const { name, notes } of results) {
    const reasons = notes.filter((note) => note.kind === 'not selected').map((note) => note.reason)
    for (const reason of new Set(reasons)) {
      const count = reasons.filter((other) => other === reason).length
      console.log(dim(`not selected: ${name}: ${count} (${reason})`))
    }
  }
}

function printSkipped(results: Result[]) {
  for (const { name, notes, skipped } of results) {
    const named = notes.filter((note) => note.kind === 'skipped')
    for (const { title, reason } of named) {
      console.log(yellow(`skipped: ${name}: ${title} (${reason})`))
    }
    const unnamed = skipped - named.length
    if (unnamed > 0) console.log(yellow(`skipped: ${name}: ${unnamed} without a name or reason`))
  }
}

function indent(output: string): string {
  return output.trimEnd().replace(/^/gm, '    ')
}
