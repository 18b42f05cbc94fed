import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { judgeTag, nameOfInline } from '../../emit/judge.js'
import { findTags, type Tag } from '../../emit/tags.js'
import { SignedImpError } from '../../errors.js'
import { emittedPath } from '../../tree/system-path.js'
import type { EsbuildPlace } from './place.js'
import type { Location, Message } from './types.js'

/** An error whose place in a source is known. */
export class LocatedError extends Error {
  readonly location: Location | undefined

  constructor(cause: Error, location: Location | undefined) {
    super(cause.message, { cause })
    this.location = location
  }
}

/** An error in esbuild's own form. Its code is its id: esbuild loses `detail` on the way out of onEnd. */
export function toMessage(error: unknown): Message {
  const located = error instanceof LocatedError ? error : undefined
  const detail = located ? located.cause : error
  const { message, code = '' } = detail as Partial<SignedImpError>
  return {
    id: code,
    text: message ?? String(detail),
    location: located?.location ?? null,
    notes: hints[code] ?? [],
    detail,
  }
}

/** What esbuild's users can do about errors that all bundlers share. */
const hints: Record<string, { text: string }[]> = {
  ERR_SIGNEDIMP_FILES: [{ text: 'esbuild never empties "outdir": remove it before a build' }],
  ERR_SIGNEDIMP_LATE_WRITE: [
    { text: 'A plugin that changes files in its onEnd must be listed before signedimp' },
  ],
}

/** Where the first of some texts stands in a file. @param file as esbuild names it */
export function locate(
  file: string,
  text: string,
  needles: readonly string[],
): Location | undefined {
  const found = needles.map((needle) => [text.indexOf(needle), needle] as const)
  const [at, needle] = found.find(([index]) => index >= 0) ?? []
  return at === undefined ? undefined : toLocation(file, text, at, at + needle!.length)
}

function toLocation(file: string, text: string, start: number, end: number): Location {
  const before = text.slice(0, start).split('\n')
  const lineText = text.split('\n')[before.length - 1]!
  const found = text.slice(start, end).split('\n')[0]!
  return {
    file,
    line: before.length,
    column: Buffer.byteLength(before.at(-1)!),
    length: Buffer.byteLength(found),
    lineText: lineText.replace(/\r$/, ''),
  }
}

/**
 * Says of an error where the reference stands that it is about, if that is in a page.
 * @param pages HTML files
 */
export async function locateInPages(
  error: unknown,
  pages: readonly string[],
  { root }: EsbuildPlace,
): Promise<unknown> {
  if (!(error instanceof SignedImpError)) return error
  for (const page of pages) {
    const text = await readFile(page, 'utf8').catch(() => '')
    const tag = findTags(text).find((one) => names(error, one))
    if (!tag) continue
    const { start, end } = tag.locate('src') ?? tag.locate('href') ?? { ...tag, end: tag.open }
    return new LocatedError(error, toLocation(emittedPath(relative(root, page)), text, start, end))
  }
  return error
}

/** Whether an error names a tag as what nothing checks, or the page's import map. */
function names({ message }: SignedImpError, tag: Tag): boolean {
  const action = judgeTag(tag, { resolve: () => undefined, isModule: () => false })
  if (action.kind === 'map' && message.includes(': has an import map that ')) return true
  const name = action.kind === 'uncovered' ? action.name : nameOfInline(tag)
  return /uncovered|map/.test(action.kind) && message.includes(`\n  ${name}: `)
}
