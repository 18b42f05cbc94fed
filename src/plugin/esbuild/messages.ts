import type { Location, Message } from './types.js'

/** An error whose place in a source is known. */
export class LocatedError extends Error {
  readonly location: Location | undefined

  constructor(cause: Error, location: Location | undefined) {
    super(cause.message, { cause })
    this.location = location
  }
}

/** An error in esbuild's own form. What it is, is in `detail`. */
export function toMessage(error: unknown): Message {
  const located = error instanceof LocatedError ? error : undefined
  const detail = located ? located.cause : error
  const { message } = detail as Partial<Error>
  return { text: message ?? String(detail), location: located?.location ?? null, detail }
}

/** Where the first of some texts stands in a file. @param file as esbuild names it */
export function locate(
  file: string,
  text: string,
  needles: readonly string[],
): Location | undefined {
  const found = needles.map((needle) => [text.indexOf(needle), needle] as const)
  const [at, needle] = found.find(([index]) => index >= 0) ?? []
  if (at === undefined) return undefined
  const before = text.slice(0, at).split('\n')
  return {
    file,
    line: before.length,
    column: Buffer.byteLength(before.at(-1)!),
    length: Buffer.byteLength(needle!),
    lineText: text.split('\n')[before.length - 1]!,
  }
}
