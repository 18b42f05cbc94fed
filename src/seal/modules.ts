/** Which files of a folder are ES modules that its pages may load. */
import { matches } from '../emit/coverage.js'
import { codeOf, isCode, isPage, type Output, type OutputFile } from '../emit/output.js'
import type { Graph } from '../emit/graph.js'
import { isModulePath } from '../manifest/path.js'
import { workersIn } from '../emit/workers.js'
import { readImports, type Imports } from './lexer.js'

/**
 * Marks the modules of an output: what its pages start, workers that this names, and what they import. Where it imports something by a name that
 * only its run tells, any module of the folder may be meant; but where some code starts workers, one that nothing names may
 * as well be a worker, and is left to be refused.
 * @param starts what pages start
 * @param unverified names of what is to run as it is
 */
export async function markModules(
  output: Output,
  graph: Graph,
  starts: Iterable<string>,
  unverified: readonly string[],
): Promise<void> {
  const isOwn = (path: string) => !unverified.some((pattern) => matches(pattern, path))
  const found = new Map<string, Imports | undefined>()
  const reached = new Set(starts)
  await follow(output, graph, reached, found, isOwn)
  if (![...found.values()].some((imports) => imports?.isOpen)) return
  if ([...output.values()].some(startsWorkers)) return
  for (const file of output.values())
    if (!reached.has(file.path) && (await isModule(file))) reached.add(file.path)
  await follow(output, graph, reached, found, isOwn)
}

/** Marks what is reached, and what it imports. */
async function follow(
  output: Output,
  graph: Graph,
  reached: Set<string>,
  found: Map<string, Imports | undefined>,
  isOwn: (path: string) => boolean,
): Promise<void> {
  for (const path of reached) {
    if (found.has(path)) continue
    const file = output.get(path)!
    file.isModule = true
    const code = codeOf(file)
    const imports = await readImports(code)
    found.set(path, imports)
    for (const { specifier } of imports?.named ?? []) {
      const to = graph.resolve(path, specifier)
      if (to !== undefined && isScript(output.get(to)!)) reached.add(to)
    }
    for (const worker of workersIn(path, code, graph).filter(isOwn))
      if (await isModule(output.get(worker)!)) reached.add(worker)
  }
}

const isScript = ({ path }: OutputFile): boolean =>
  isModulePath(path) && isCode(path) && !isPage(path)

/** Whether a file is a module by its name and its syntax. */
const isModule = async (file: OutputFile): Promise<boolean> =>
  isScript(file) && (await readImports(codeOf(file)))?.hasSyntax === true

/** What starts code outside of the page, where no import map counts. */
const worker = /\b(Shared)?Worker\s*\(|\bserviceWorker\b|\.addModule\s*\(|\bimportScripts\s*\(/

const startsWorkers = (file: OutputFile): boolean =>
  (isCode(file.path) || isPage(file.path)) && file.source !== undefined && worker.test(codeOf(file))
