/**
 * The loader of Bun: its plugin, which is asked about all that is imported or required. What it gives CommonJS by text it
 * takes for a module without exports, so that such files are compiled here, and handed over as what they export.
 */
import { refusal } from '../manifest/refusal.js'
import { Module } from './builtins.js'
import {
  create,
  fileUrl,
  getOf,
  indexOf,
  keysOf,
  node,
  parseJson,
  setIn,
  slice,
  startsWith,
  textOf,
} from './captured.js'
import { patchCommonJs, type LoadedModule } from './commonjs.js'
import { formatOf } from './format.js'
import { check, type Change, type Checked, type Judge } from './judge.js'
import { checkFound, checkPackage, findNamed, refuseLink } from './resolve.js'
import type { Root } from './root.js'

type Loaded =
  { contents: string; loader: 'js' } | { exports: Record<string, unknown>; loader: 'object' }

/** The parts of Bun that are used here. */
interface Bun {
  main: string
  plugin: Plug & { clearAll(): void }
  resolveSync(specifier: string, folder: string): string
}
type Plug = (plugin: { name: string; setup(builder: Builder): void }) => void
interface Builder {
  onResolve(
    filter: { filter: RegExp; namespace?: string },
    resolve: (reference: { path: string; importer: string }) => { path: string } | undefined,
  ): void
  onLoad(filter: { filter: RegExp }, load: (file: { path: string }) => Loaded): void
}

const everything = /^/

/**
 * Installs the plugin. The first one to answer is the one that counts, so that later ones change nothing.
 * @returns told of roots that the judge has got since
 */
export function installInBun(judge: Judge, preload: string): (change: Change) => void {
  const bun = (globalThis as unknown as { Bun: Bun }).Bun
  const { plugin } = bun
  const ask = createAsk(bun.resolveSync)
  const compile = createCompiler(bun.main)
  const onLoad = ({ path }: { path: string }) => {
    const checked = check(judge, withoutQuery(path))!
    checkPackage(checked)
    return compile(checked)
  }
  const isLenient = judge.policy.nodeModules === 'unverified'
  patchCommonJs(judge)
  plugin({
    name: 'signedimp',
    setup(builder) {
      refuseUrls(builder, preload)
      builder.onResolve({ filter: everything }, ({ path, importer }) =>
        resolve(judge, ask, path, importer),
      )
      builder.onLoad({ filter: isLenient ? outsideOfNodeModules : everything }, onLoad)
    },
  })
  const addFolder = ({ folder }: Root) =>
    isLenient &&
    plugin({
      name: 'signedimp',
      setup: (builder) => builder.onLoad({ filter: beginning(folder) }, onLoad),
    })
  for (const root of judge.roots) addFolder(root)
  plugin.clearAll = () => {
    throw refusal('NOT_ENFORCEABLE', 'the plugins that are there stay')
  }
  return (change) => 'add' in change && addFolder(change.add)
}

// Bun asks no more than one plugin, and takes no "as it is" for an answer.
const outsideOfNodeModules = /^(?!.*[\\/]node_modules[\\/])/
const beginning = (folder: string) => new RegExp(`^${folder.replace(/[^\w/]/g, '\\$&')}`)

function refuseUrls(builder: Builder, preload: string): void {
  for (const namespace of ['data', 'blob', 'http', 'https'])
    builder.onResolve({ filter: everything, namespace }, ({ path }) => {
      const url = `${namespace}:${path}`
      if (preload !== '' && url === preload) return undefined
      throw refusal('UNLISTED', 'only files of signed folders are loaded', slice(url, 0, 80))
    })
}

/**
 * Bun takes paths, with a query, where others take URLs; both work. Where this answers nothing, Bun resolves by itself:
 * names of its own, and of Node's.
 */
function resolve(
  judge: Judge,
  ask: Ask,
  specifier: string,
  importer: string,
): { path: string } | undefined {
  const from = node.isAbsolute(importer) ? withoutQuery(importer) : undefined
  const plain = withoutQuery(specifier)
  const isPath = !startsWith(specifier, 'file:')
  const request = { specifier: plain, parent: from && fileUrl(from), isPath }
  const named = findNamed(judge, request)
  if (named) {
    refuseLink(named)
    return { path: named.root.folder + named.path + slice(specifier, plain.length) }
  }
  if (from === undefined || isOwn(specifier)) return undefined
  const path = ask(specifier, node.dirname(from))
  if (path === undefined) return undefined
  if (node.isAbsolute(path)) checkFound(judge, request, fileUrl(path))
  return { path }
}

type Ask = (specifier: string, folder: string) => string | undefined

/** What Bun makes of a specifier; it asks the plugin in turn, which then has no answer. */
function createAsk(resolveSync: Bun['resolveSync']): Ask {
  let isAsking = false
  return (specifier, folder) => {
    if (isAsking) return undefined
    isAsking = true
    try {
      return resolveSync(specifier, folder)
    } finally {
      isAsking = false
    }
  }
}

const isOwn = (specifier: string): boolean =>
  specifier === 'bun' || startsWith(specifier, 'bun:') || node.isBuiltin(specifier)

function withoutQuery(path: string): string {
  const at = indexOf(path, '?', 0)
  return at < 0 ? path : slice(path, 0, at)
}

/** @param main the program's entry */
function createCompiler(main: string): (checked: Checked) => Loaded {
  const running = new Map<string, LoadedModule>()
  return (checked) => {
    const { root, path, bytes } = checked
    const format = formatOf(checked)
    if (format === 'module') return { contents: asModule(textOf(bytes)), loader: 'js' }
    if (format === 'json') return exporting(parseJson(textOf(bytes)))
    if (format !== 'commonjs')
      throw refusal('NOT_ENFORCEABLE', `Bun takes no ${format} that was checked`, path)
    const file = root.folder + path
    const module = getOf(running, file) ?? createModule(file, file === main)
    if (getOf(running, file)) return exporting(module.exports)
    setIn(running, file, module)
    module._compile(textOf(bytes), file)
    return exporting(module.exports)
  }
}

/** What neither imports nor exports, Bun would take for CommonJS. */
const asModule = (text: string): string =>
  indexOf(text, 'import', 0) < 0 && indexOf(text, 'export', 0) < 0 ? `${text}\nexport {}` : text

/** In the cache before it runs, so that circles find what there is of it. */
function createModule(file: string, isMain: boolean): LoadedModule {
  const { _cache: cache, _nodeModulePaths: pathsFrom } = Module as unknown as {
    _cache: Record<string, LoadedModule>
    _nodeModulePaths(folder: string): string[]
  }
  const module = Object.assign(new Module(file), {
    filename: file,
    paths: pathsFrom(node.dirname(file)),
  })
  cache[file] = module as never
  if (isMain) process.mainModule = module
  return module as never
}

/** A module whose `require` gives a value, and whose `import` gives it by default, and what it has by name. */
function exporting(value: unknown): Loaded {
  const exports: Record<string, unknown> = create(null)
  if ((typeof value === 'object' && value !== null) || typeof value === 'function') {
    const names = keysOf(value)
    for (let at = 0; at < names.length; at++)
      exports[names[at]!] = (value as Record<string, unknown>)[names[at]!]
  }
  exports.default = value
  exports['module.exports'] = value
  return { exports, loader: 'object' }
}
