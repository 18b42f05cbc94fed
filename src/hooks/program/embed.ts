/** What `signedimp bootstrap` prints: the hooks with their keys, for programs that somebody puts together by hand. */
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import vm from 'node:vm'
import { Module } from '../builtins.js'
import { node } from '../captured.js'
import { start as startHooks } from '../start.js'

/** A program that runs out of a signed folder. */
export interface Program {
  /** Imports a file of the folder. @param path as the manifest has it */
  import(path: string): Promise<unknown>
  /** Requires a file of the folder. */
  require(path: string): unknown
}

/**
 * Has the runtime load nothing but what the manifest of a folder lists, with the bytes that were signed. Worker threads and
 * forked children are refused.
 * @param base the folder, a path or a `file:` URL
 * @param options `allow`: files that were loaded before, by their paths, beside the program's own
 * @throws SignedImpError
 */
export function start(base: string | URL, options?: { allow?: readonly string[] }): Program {
  const { allow = [] } = options ?? {}
  const { argv, execPath } = process
  const folder = toPath(base)
  const own = [execPath, ...(argv[1] === undefined ? [] : [node.resolve(argv[1])])]
  const root = { ...__SIGNEDIMP_TRUST__, base: folder }
  const { judge } = startHooks({ roots: [root], allow: [...own, ...allow] })
  const inside = (path: string) => judge.roots[0]!.folder + path.replaceAll('/', node.sep)
  const load = findImport()
  return {
    import: (path) => load(pathToFileURL(inside(path)).href),
    require: (path) => Module.createRequire(inside('.'))(inside(path)),
  }
}

const toPath = (base: string | URL): string =>
  typeof base === 'string' && !base.startsWith('file:') ? node.resolve(base) : fileURLToPath(base)

/** The main script of a single executable imports nothing but what Node has built in; other scripts do. */
function findImport(): (url: string) => Promise<unknown> {
  const { USE_MAIN_CONTEXT_DEFAULT_LOADER: importModuleDynamically } = vm.constants ?? {}
  if (!isSingleExecutable() || importModuleDynamically === undefined) return (url) => import(url)
  return vm.runInThisContext('(url) => import(url)', { importModuleDynamically } as object)
}

function isSingleExecutable(): boolean {
  const { getBuiltinModule } = process as { getBuiltinModule?: (id: string) => unknown }
  const sea = getBuiltinModule?.('node:sea') as { isSea(): boolean } | undefined
  return sea?.isSea() === true
}
