/** Outputs that are programs for Node.js, Deno or Bun, whose loaders check what they load: modules stay as they are. */
import { SignedImpError } from '../errors.js'
import { refuseSharedNames } from '../manifest/distinct.js'
import type { Program, ProgramFormat } from '../manifest/program.js'
import { toIntegrity } from './bootstrap.js'
import { createChanges, type Changes } from './changes.js'
import { acceptUncovered } from './coverage.js'
import { checkPaths, nameAsBuilt } from './emit.js'
import { moveFiles, type ModuleEntry } from './entries.js'
import { createGraph, type Graph } from './graph.js'
import { hashFiles } from './manifest.js'
import { codeOf, type Output, type OutputFile, type Uncovered } from './output.js'
import { createProgramBootstrap } from './program-bootstrap.js'
import { linkProgram, type LinkedProgram } from './program-modules.js'
import { warnOf, type Parse } from './reassigned.js'
import type { Emitted, Release } from './release.js'
import { exportable, type StartedEntry } from './start.js'

/**
 * Signs a finished output that is a program: each entry's file becomes a bootstrap, which checks the manifest and has the
 * runtime's loader check every file that it loads from then on.
 * @param parse a module's syntax tree; without it, nothing is warned of
 * @throws SignedImpError on an output whose code would not all be checked
 */
export async function emitProgram(
  output: Output,
  release: Release,
  parse?: Parse,
): Promise<Emitted> {
  checkPaths(output)
  const changes = createChanges(output)
  const graph = createGraph(output, '')
  const entries = findEntries(output)
  const format = formatOf(entries)
  const moved = moveFiles(entries, output, graph, changes)
  try {
    return await emitMoved({ output, graph, moved, format, changes }, release, parse)
  } catch (error) {
    throw nameAsBuilt(error, moved)
  }
}

/** A program whose entries' code has moved to their main chunks. */
interface Moved {
  output: Output
  graph: Graph
  moved: ModuleEntry[]
  format: ProgramFormat
  changes: Changes
}

async function emitMoved(given: Moved, release: Release, parse?: Parse): Promise<Emitted> {
  const { output, graph, moved, format, changes } = given
  const linked = await linkProgram(output, graph, moved, changes)
  const accepted = acceptOutside(output, linked, release)
  const outside = [...linked.outside.keys()]
  const program = programOf(release, format, outside)
  for (const entry of moved)
    changes.change(entry.path, startEntry(entry, output, linked, program, release))
  refuseSharedNames(output.keys())
  const digests = hashFiles(output, release.hash, () => true)
  return {
    ...nothingOfPages(),
    changed: changes.changed,
    digests,
    entries: moved.map((entry) => describe(entry, digests, release)),
    warnings:
      parse && format === 'module'
        ? moved.flatMap((entry) => warnOf(entry, output, linked, parse))
        : [],
    accepted,
    checked: new Set([...output.values()].filter(isProgramCode).map(({ path }) => path)),
  }
}

/** What {@link Emitted} tells of pages, where there are none. */
const nothingOfPages = () => ({
  imports: new Map(),
  manifests: [],
  own: [],
  pages: 0,
  templates: [],
  maps: new Map(),
  external: new Map(),
  bootstrap: undefined,
  fetched: new Set<string>(),
})

/** Whether the loader takes a file for code. */
const isProgramCode = ({ path, isModule, format }: OutputFile): boolean =>
  isModule || format !== undefined || /\.([cm]?js|json|node)$/i.test(path)

/** Whether a bundler made this file of modules. */
const isChunk = ({ isModule, format }: OutputFile): boolean => isModule || format !== undefined

/** @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` where nothing would check what the output is */
function findEntries(output: Output): OutputFile[] {
  const chunks = [...output.values()].filter(isChunk)
  const other = chunks.find(({ format = 'es' }) => !/^(es|cjs)$/.test(format))
  if (other)
    throw cannot(
      `is of format "${other.format}", which no loader checks: set output.format to "es" or "cjs"`,
      other.path,
    )
  const entries = chunks.filter(({ isEntry }) => isEntry)
  if (entries.length === 0)
    throw cannot('there is no entry in this output, so that nothing would check it')
  return entries
}

const cannot = (why: string, path?: string): SignedImpError =>
  new SignedImpError('ERR_SIGNEDIMP_OUTPUT', why, { path })

const formatOf = (entries: readonly OutputFile[]): ProgramFormat =>
  entries.every(({ format }) => format === 'cjs') ? 'commonjs' : 'module'

/** Writes the bootstrap in the place of an entry. What the system reads in its first line to run the file stays there. */
function startEntry(
  { path, main }: ModuleEntry,
  output: Output,
  { exports }: LinkedProgram,
  program: Omit<Program, 'path' | 'main'>,
  release: Release,
): string {
  const [hashbang = ''] = /^#!.*\n/.exec(codeOf(output.get(main)!)) ?? []
  const names = program.format === 'module' ? exportable(path, exports.get(main)!) : []
  return hashbang + createProgramBootstrap(release, { path, main, ...program }, names)
}

/** What all entries of an output say of it. */
const programOf = (
  { keys, threshold, name, build, manifestName: manifest }: Release,
  format: ProgramFormat,
  unverified: readonly string[],
): Omit<Program, 'path' | 'main'> => ({
  keys,
  threshold,
  name,
  ...(build === undefined ? {} : { build }),
  manifest,
  format,
  unverified,
})

/** What the program loads unchecked, all of it accepted. @throws SignedImpError `ERR_SIGNEDIMP_NOT_COVERED` */
function acceptOutside(
  output: Output,
  { outside }: LinkedProgram,
  { unverified, spell }: Release,
): Uncovered[] {
  const wasm = [...output.values()].filter(({ path }) => /\.wasm$/i.test(path))
  const uncovered = [
    ...[...outside].map(([name, from]) => ({
      name,
      reason: `imported by ${from} from outside of the output: nothing checks it, and what it loads`,
    })),
    ...wasm.map(({ path }) => ({
      name: path,
      reason: 'WebAssembly, which nothing checks when the program reads it from disk',
    })),
  ]
  return acceptUncovered(uncovered, unverified, spell, 'loader')
}

/** What is told of an entry. */
function describe(
  entry: ModuleEntry,
  digests: ReadonlyMap<string, string>,
  { hash, manifestName }: Release,
): StartedEntry {
  const integrity = toIntegrity(hash, digests.get(entry.path)!)
  return { ...entry, integrity, manifest: manifestName, reached: undefined }
}
