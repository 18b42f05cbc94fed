/** Workers of an output: which files their scripts are, what names them, and what they may load. */
import { init, parse } from 'es-module-lexer'
import { closureOf } from '../manifest/linking.js'
import type { WorkerPlan } from '../manifest/worker-plan.js'
import { matches } from './coverage.js'
import { findCopied } from './copied.js'
import type { Release } from './release.js'
import type { ModuleEntry } from './entries.js'
import { lastSegment, type Graph } from './graph.js'
import { outside } from './foreign.js'
import { guardedPattern } from './guarded.js'
import type { LinkedModules } from './modules.js'
import { codeOf, isCode, type Output, type Uncovered } from './output.js'
import { findRaw } from './raw-scripts.js'
import { reach } from './reach.js'

/** Workers of an output. */
export interface FoundWorkers {
  /** Paths of their scripts, and of what these run inside themselves with `importScripts`. */
  scripts: Set<string>
  /** By the path of a file: the workers that its text names. */
  named: Map<string, string[]>
  /** By the path of a file: workers, and scripts that it runs inside itself, as far as its text says it. */
  loads: Map<string, string[]>
  /** Whether some code may start workers at all. */
  isGuarded: boolean
}

/** Where code names the script of a worker: `new Worker(new URL("./w.js", import.meta.url))`, as bundlers write it, too. */
const byMeta =
  /\bnew\s+(?:(?:self|window|globalThis)\s*\.\s*)?(Shared)?Worker\s*\(\s*new\s+URL\s*\(\s*(?:\/\*[^]*?\*\/\s*)?(["'`])([^"'`$\\]+)\2\s*,\s*(?:(?:""|''|``)\s*\+\s*)?import\.meta\.url\s*\)/g
const byAddress =
  /\bnew\s+(?:(?:self|window|globalThis)\s*\.\s*)?(Shared)?Worker\s*\(\s*(["'`])([^"'`$\\]+)\2/g
const imports = /\bimportScripts\s*\(([^)]*)\)/
const texts = /(["'`])([^"'`$\\]+)\1/g

/** What may start a worker or a worklet, or ask whether it could. */
const mention = /\b(?:(?:Shared)?Worker|addModule)\b/

/**
 * Finds workers, and has modules that bundlers call entries because a worker starts by them be modules like others: they
 * are linked like these, and no page starts them.
 * @param started modules that pages start
 */
export async function findWorkers(
  output: Output,
  graph: Graph,
  unverified: readonly string[],
  started: ReadonlySet<string>,
): Promise<FoundWorkers> {
  const isNamed = (path: string) => unverified.some((pattern) => matches(pattern, path))
  const search = await beginSearch(output, graph, isNamed, started)
  // What is found on the way is looked at, too.
  for (const path of search.seen) lookInto(search, path)
  const { found, shared } = search
  // Nothing checks what a shared worker runs.
  for (const path of shared) found.scripts.delete(path)
  for (const path of found.scripts) output.get(path)!.isEntry = false
  // What the bundler made for workers, and is to run unchecked, stays as it is.
  for (const file of output.values())
    if (file.isWorker !== undefined && (isNamed(file.path) || shared.has(file.path)))
      file.isModule = false
  return found
}

/** What is found of workers, and where more is looked for. */
interface Search {
  output: Output
  graph: Graph
  /** Scripts that packages copy into the output. */
  raw: Awaited<ReturnType<typeof findRaw>>
  isScript(path: string): boolean
  found: FoundWorkers
  /** Scripts of shared workers. */
  shared: Set<string>
  seen: Set<string>
}

async function beginSearch(
  output: Output,
  graph: Graph,
  isNamed: (path: string) => boolean,
  started: ReadonlySet<string>,
): Promise<Search> {
  const copied = await findCopied(output)
  const isOwn = (path: string) => isCode(path) && !isNamed(path) && !started.has(path)
  const isScript = (path: string) => isOwn(path) && !copied.has(path)
  const files = [...output.values()]
  const scripts = files.flatMap(({ path, isWorker }) => (isWorker && isScript(path) ? path : []))
  return {
    output,
    graph,
    raw: await findRaw(output, isOwn),
    isScript,
    found: { scripts: new Set(scripts), named: new Map(), loads: new Map(), isGuarded: false },
    shared: new Set(),
    seen: new Set(files.flatMap(({ path, isModule }) => (isModule ? path : []))),
  }
}

/** Notes the workers that a file's text names, and what it runs inside itself. */
function lookInto({ output, graph, raw, isScript, found, shared, seen }: Search, path: string) {
  const code = codeOf(output.get(path)!)
  const isMentioned = mention.test(code)
  const copies = raw.filter((one) => (isMentioned || one.isModule) && names(code, one.path))
  if (!isMentioned && !imports.test(code) && copies.length === 0) return
  found.isGuarded ||= isMentioned
  const known = [...found.scripts].filter((one) => one !== path && names(code, one))
  const told = workersIn(path, code, graph).filter(isScript)
  const named = distinct([...told, ...copies.map((one) => one.path), ...known])
  // Their names know nothing of how they are written anew.
  for (const one of copies)
    if (one.isModule)
      Object.assign(output.get(one.path)!, { isModule: true, isContentNamed: false })
  for (const one of workersIn(path, code, graph, true)) shared.add(one)
  const loads = [...named, ...scriptsIn(path, code, graph).filter(isScript)]
  if (named.length > 0) found.named.set(path, named)
  if (loads.length > 0) found.loads.set(path, loads)
  for (const one of loads) {
    found.scripts.add(one)
    seen.add(one)
  }
}

/** From now on, main chunks name what their entries named. */
export function moveNames({ named, loads }: FoundWorkers, moved: readonly ModuleEntry[]): void {
  for (const { from, main } of moved)
    for (const map of [named, loads]) if (map.has(from)) map.set(main, map.get(from)!)
}

/** Whether a text has the name of a file in it, as a text of its own or the end of one. */
const names = (code: string, path: string): boolean =>
  ['"', "'", '`'].some((quote) => code.includes(lastSegment(path) + quote))

/** Workers that a file's text names. A page's references start at the page, which lies in the base. */
export function workersIn(from: string, code: string, graph: Graph, isShared = false): string[] {
  const namedBy = (pattern: RegExp, resolve: (name: string) => string | undefined) =>
    [...code.matchAll(pattern)].flatMap(([, shared, , name]) =>
      (shared !== undefined) === isShared ? resolve(withoutQuery(name!)) : [],
    )
  return distinct([
    ...namedBy(byMeta, (name) => graph.resolve(from, name)),
    ...namedBy(byAddress, graph.resolveBelow),
  ])
}

function scriptsIn(from: string, code: string, { resolve }: Graph): string[] {
  const named = [...code.matchAll(new RegExp(imports, 'g'))].flatMap(([, list]) => [
    ...list!.matchAll(texts),
  ])
  return distinct(named.map(([, , name]) => resolve(from, withoutQuery(name!))))
}

/** A query and a fragment tell a worker something, and are nothing that its bytes depend on. */
const withoutQuery = (reference: string): string => reference.replace(/[?#].*$/s, '')

const distinct = (paths: (string | undefined)[]): string[] => [
  ...new Set(paths.filter((path) => path !== undefined)),
]

/** What the guard of workers is to know, in the pages of an output. */
export function planWorkers(
  { scripts, named }: FoundWorkers,
  linked: LinkedModules,
  output: Output,
  release: Pick<Release, 'unverified' | 'workersFirst' | 'resources'>,
): WorkerPlan {
  return {
    reach: Object.fromEntries([...scripts].map((path) => [path, reachOf(path, linked)])),
    named: Object.fromEntries(named),
    unverified: release.unverified.flatMap((pattern) => namesOf(pattern, output)),
    guarded: guardedPattern(release).source,
    first: release.workersFirst,
  }
}

/** What a worker may load, with the workers that it names; null where only its run tells. */
function reachOf(path: string, linked: LinkedModules): string[] | null {
  const reached = reach(path, linked)
  return reached ? [...reached] : null
}

/** Scripts that a pattern names: files of the output, or one address elsewhere. */
function namesOf(pattern: string, output: Output): string[] {
  const paths = [...output.keys()].filter((path) => isCode(path) && matches(pattern, path))
  if (paths.length > 0) return paths
  return /^(\/|https?:)/.test(pattern) && !pattern.includes('*') ? [pattern] : []
}

/**
 * Refuses static imports by workers of what only a page's import map gives a meaning: they have none.
 * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT`
 */
export function refuseForeignInWorkers({ scripts }: FoundWorkers, linked: LinkedModules): void {
  for (const script of scripts)
    for (const path of closureOf(linked.imports, script))
      for (const { specifier, isStatic } of linked.foreign.get(path) ?? [])
        if (isStatic) throw outside(path, specifier)
}

/** A worker whose script is a text in another chunk, and so no file of the output. */
export interface InlinedWorker {
  /** What the bundler called it. */
  path: string
  code: string
}

/**
 * Workers from a text that may load more: their code was checked with the chunk that has it, but nothing is there to
 * check what that loads.
 */
export async function findLoadingInlined(inlined: readonly InlinedWorker[]): Promise<Uncovered[]> {
  await init()
  return inlined
    .filter(({ path, code }) => mayLoad(path, code))
    .map(({ path }) => ({
      name: path,
      reason:
        'a worker from a text (?inline) that loads more code, which nothing would check: let it be a file, without ?inline',
    }))
}

const mayLoad = (path: string, code: string): boolean =>
  imports.test(code) ||
  mention.test(code) ||
  parse(code, path)[0].some(({ type }) => type === 'dynamic')
