import type { Args, Parsed } from './arguments.js'
import type { Line } from './print.js'

/** What a command found or did; `main` prints it. */
export interface Output {
  /** What `--json` prints. */
  data: object
  /** What is printed on standard output otherwise. */
  lines: Line[]
  /** What people should know beside it: goes to standard error, and is left out with `--json`. */
  words?: string[]
  /** 1 where what was looked at is not as it should be, and that is no failure. @default 0 */
  status?: 0 | 1
}

/** A command: what citty's help says of it, and what it does. */
export interface Command<T extends Args = any> {
  meta: { name: string; description: string }
  args: T
  run(args: Parsed<T>): Promise<Output>
}

/** Gives `run` the types of `args`. */
export const defineCommand = <const T extends Args>(command: Command<T>): Command<T> => command

/** The flag of every command. */
export const json = {
  type: 'boolean',
  description: 'Print one JSON object on standard output, and nothing else',
} as const

/** Words and values in two columns; a value that is not there has no line. */
export function columns(rows: [word: string, value: string | number | undefined][]): string[] {
  const there = rows.filter(([, value]) => value !== undefined)
  const width = Math.max(...there.map(([word]) => word.length)) + 2
  return there.map(([word, value]) => word.padEnd(width) + value)
}
