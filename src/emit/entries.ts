import { SignedImpError } from '../errors.js'
import { findBaseElement } from './base-element.js'
import type { Changes } from './changes.js'
import { matches } from './coverage.js'
import { lastSegment, type Graph } from './graph.js'
import { judgeTag } from './judge.js'
import { codeOf, isPage, textOf, type Output, type OutputFile } from './output.js'
import { findTags } from './tags.js'

/** An entry that no page of the build starts: its file becomes a module bootstrap, and its code the main chunk. */
export interface ModuleEntry {
  /** Of the entry's file: the bootstrap. */
  path: string
  /** Path that the bundler gave the code, by which other modules import it. */
  from: string
  main: string
}

/**
 * Moves the code of each entry that neither a page starts nor `unverified` names to a file beside it.
 * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT`
 */
export function moveEntries(
  output: Output,
  started: ReadonlySet<string>,
  graph: Graph,
  unverified: readonly string[],
  changes: Changes,
): ModuleEntry[] {
  const isNamed = (path: string) => unverified.some((pattern) => matches(pattern, path))
  // What stands beside System.register chunks and is called a module may as well be a script that helps them.
  if ([...output.values()].some(({ format }) => format === 'system')) return []
  const files = [...output.values()].filter(({ isModule, isEntry }) => isModule && isEntry)
  const entries = files.filter(({ path }) => !started.has(path) && !isNamed(path))
  return moveFiles(entries, output, graph, changes)
}

/** Moves the code of entries to files beside them. @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` */
export function moveFiles(
  entries: readonly OutputFile[],
  output: Output,
  graph: Graph,
  changes: Changes,
): ModuleEntry[] {
  // A name that one entry leaves is still its bootstrap's.
  const taken = new Set(
    [...output.values()].flatMap(({ path, bootstrapPath = path }) => [path, bootstrapPath]),
  )
  return entries.map((file) => {
    const main = moveEntry(file, output, taken, changes)
    graph.move(file.path, main)
    return { path: file.bootstrapPath ?? file.path, from: file.path, main }
  })
}

/** Entries that pages of the output start. */
export const findStarted = (output: Output, graph: Graph): Set<string> =>
  new Set([...output.values()].flatMap((file) => startedBy(file, output, graph)))

function startedBy(file: OutputFile, output: Output, graph: Graph): string[] {
  if (!isPage(file.path) || file.source === undefined) return []
  const tags = findTags(textOf(file))
  const start = findBaseElement(file.path, tags)
  const page = {
    resolve: (reference: string) => graph.resolve(file.path, reference, start),
    isModule: (path: string) => output.get(path)!.isModule,
  }
  return tags.flatMap((tag) => {
    const action = judgeTag(tag, page)
    return action.kind === 'entry' ? action.path : []
  })
}

/** The new name is as long, so that what imports it keeps its length. The source map goes with the code. */
function moveEntry(
  file: OutputFile,
  output: Output,
  taken: Set<string>,
  { move }: Changes,
): string {
  const { path } = file
  const main = freePath(path, taken)
  taken.add(main)
  const code = codeOf(file)
  const map = output.get(`${path}.map`)
  const [from, to] = [lastSegment(path), lastSegment(main)]
  move(path, main, map ? renameMap(code, from, to) : code)
  if (map) move(map.path, `${main}.map`, textOf(map).replace(`"file":"${from}"`, `"file":"${to}"`))
  return main
}

const renameMap = (code: string, from: string, to: string): string =>
  code.replace(
    /(\n\/\/# sourceMappingURL=)(\S+)(?=(\n\/\/# \S+)*\s*$)/,
    (all, comment: string, url: string) => (url === `${from}.map` ? `${comment}${to}.map` : all),
  )

/** The path with the last character of its stem replaced, so that no host takes it for another file. */
function freePath(path: string, taken: ReadonlySet<string>): string {
  const [, stem, last, extension] = /^(.*)(.)(\.\w+)$/su.exec(path)!
  const names = new Set([...taken].map((other) => other.toLowerCase()))
  for (const letter of '_-$~0123456789xyz') {
    const other = stem! + letter.repeat(last!.length) + extension!
    if (!names.has(other.toLowerCase())) return other
  }
  throw new SignedImpError('ERR_SIGNEDIMP_OUTPUT', 'has too many files of nearly its name', {
    path,
  })
}
