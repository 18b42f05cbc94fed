import { isBuiltin } from 'node:module'
import { posix } from 'node:path'
import { SignedImpError } from '../errors.js'
import type { Changes } from './changes.js'
import type { ModuleEntry } from './entries.js'
import { lastSegment, type Graph } from './graph.js'
import { codeOf, type Output, type OutputFile } from './output.js'
import { readModule, replaceAll, type ReadModule } from './rewrite.js'

/** What the chunks of a program say of themselves. */
export interface LinkedProgram {
  /** Names that a module exports; `*` where it also hands on all of another one. */
  exports: Map<string, ReadModule['exports']>
  /** What a module's own names are exported as. */
  locals: Map<string, ReadModule['locals']>
  /** What chunks load from outside of the output, where their texts say so, and which chunk does. */
  outside: Map<string, string>
}

/** What it takes to tell what an import means. */
interface Place {
  output: Output
  graph: Graph
  entries: readonly ModuleEntry[]
  outside: LinkedProgram['outside']
}

/**
 * Has chunks load the main chunks of entries in place of their bootstraps, and finds what they load from outside.
 * @param entries those whose code has moved
 * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` on what is no module, or imports a file that is not of the output
 */
export async function linkProgram(
  output: Output,
  graph: Graph,
  entries: readonly ModuleEntry[],
  { change }: Changes,
): Promise<LinkedProgram> {
  const linked: LinkedProgram = { exports: new Map(), locals: new Map(), outside: new Map() }
  const place = { output, graph, entries, outside: linked.outside }
  for (const file of output.values()) {
    const before = codeOf(file)
    const code =
      file.format === 'cjs'
        ? linkScript(file, before, place)
        : file.isModule
          ? await linkModule(file.path, before, linked, place)
          : before
    // As long as it was, so that source maps stay true.
    if (code !== before) change(file.path, code)
  }
  return linked
}

async function linkModule(
  path: string,
  code: string,
  linked: LinkedProgram,
  place: Place,
): Promise<string> {
  const { imports, exports, locals } = await readModule(path, code)
  linked.exports.set(path, exports)
  linked.locals.set(path, locals)
  return replaceAll(
    code,
    imports.map(({ start, end, specifier }) => [start, end, follow(path, specifier, place)]),
  )
}

/** A bundler tells what else a script loads; of the text only calls of the bundler's own kind are read. */
function linkScript({ path, loads = [] }: OutputFile, code: string, place: Place): string {
  const isMoved = (file: string) => place.entries.some(({ from }) => from === file)
  for (const specifier of loads)
    if (!place.output.has(specifier) && !isMoved(specifier)) follow(path, specifier, place)
  const moved = place.entries.filter(({ from }) => loads.includes(from))
  return moved.reduce((text, { from, main }) => {
    const [old, other] = [from, main].map((to) => relativeTo(path, to))
    const spelled = text.replaceAll(`require('${old}')`, `require('${other}')`)
    return spelled.replaceAll(`require("${old}")`, `require("${other}")`)
  }, code)
}

function relativeTo(path: string, to: string): string {
  const relative = posix.relative(posix.dirname(path), to)
  return relative.startsWith('.') ? relative : `./${relative}`
}

/** How a chunk spells an import now: otherwise only where it means an entry, whose code is elsewhere. */
function follow(
  from: string,
  specifier: string,
  { output, graph, entries, outside }: Place,
): string {
  if (isBuiltin(specifier) || /^(node|bun):|^bun$/.test(specifier)) return specifier
  if (!/^\.{0,2}\//.test(specifier)) {
    if (!outside.has(specifier)) outside.set(specifier, from)
    return specifier
  }
  const path = graph.resolve(from, specifier)
  if (path === undefined || !output.has(path)) throw notOfOutput(from, specifier)
  const isMoved =
    entries.some(({ main }) => main === path) && !specifier.endsWith(lastSegment(path))
  return isMoved ? specifier.slice(0, -lastSegment(path).length) + lastSegment(path) : specifier
}

const notOfOutput = (from: string, specifier: string): SignedImpError =>
  new SignedImpError(
    'ERR_SIGNEDIMP_OUTPUT',
    `imports "${specifier}", which is no file of this build, so that its loader would refuse it; bundle it`,
    { path: from },
  )
