import { SignedImpError } from '../errors.js'
import { aliasOf, declarationStart, standInOf, tagKey, updateName } from '../manifest/linking.js'
import type { StaticImport } from '../manifest/format.js'
import { isModulePath } from '../manifest/path.js'
import type { Changes } from './changes.js'
import type { ModuleEntry } from './entries.js'
import { isForeign, type ForeignImport } from './foreign.js'
import { lastSegment, urlBelow, type Graph } from './graph.js'
import type { ToWhole } from './move-imports.js'
import { codeOf, type Output } from './output.js'
import {
  rewriteModule,
  unmarkUtf8,
  type ModuleImport,
  type Respell,
  type RewrittenModule,
} from './rewrite.js'
import { editLists, refuseUnknownHelpers, type Preloads } from './vite-preload.js'

/** What the modules of an output import, once they are written anew. */
export interface LinkedModules {
  /** Static imports by module. */
  imports: Map<string, StaticImport[]>
  /** Files that a module loads with `import()`, and whether there may be others that its text does not name. */
  lazy: Map<string, { paths: string[]; isOpen: boolean }>
  /** Stylesheets that a module has Vite's helper link when it loads others. */
  styles: Map<string, string[]>
  /** Workers that a module starts, and what these run inside themselves. */
  workers: ReadonlyMap<string, string[]>
  /** Guarded files that a module's text names, where entries start by themselves. */
  resources: Map<string, string[]>
  /** Imports by a module of what is not of the output, where its text names it. */
  foreign: Map<string, ForeignImport[]>
  /** Names that a module exports. */
  exports: Map<string, RewrittenModule['exports']>
  /** What a module's own names are exported as. */
  locals: Map<string, RewrittenModule['locals']>
}

/** How static imports are spelled, where the bundler's way will not do. */
export interface Spelling {
  /** By names that mean nothing without an import map. */
  hasAliases: boolean
  /** By URLs below this one, which mean the same in whatever folder a module is; with a key. */
  base: string | undefined
}

/**
 * Writes all modules anew, and finds what they import.
 * @param entries those whose code has moved, so that what imports them is to import that
 */
export async function linkModules(
  output: Output,
  graph: Graph,
  entries: readonly ModuleEntry[],
  workers: LinkedModules['workers'],
  { hasAliases, base }: Spelling,
  { change }: Changes,
): Promise<LinkedModules> {
  const linked: LinkedModules = {
    imports: new Map(),
    lazy: new Map(),
    styles: new Map(),
    workers,
    resources: new Map(),
    foreign: new Map(),
    exports: new Map(),
    locals: new Map(),
  }
  const respell = createRespell(graph, entries, hasAliases)
  const preloads = new Map<string, Preloads>()
  for (const file of output.values()) {
    if (!file.isModule) continue
    const { path } = file
    if (!isModulePath(path)) throw noModuleName(path)
    const before = codeOf(file)
    const toWhole = base === undefined ? undefined : createToWhole(graph, path, base)
    const module = await rewriteModule(path, before, respell(path), toWhole)
    const code = renameDependencies(module.code, entries)
    // In the form that it came in: thousands of texts at once are what a garbage collector is slow with.
    if (code !== before) change(path, typeof file.source === 'string' ? code : Buffer.from(code))
    note(path, module, graph, linked)
    preloads.set(path, module.preloads)
    checkDeclarations(path, module)
  }
  refuseUnknownHelpers(preloads)
  return linked
}

/** Notes what a module imports and exports. */
function note(path: string, module: RewrittenModule, graph: Graph, linked: LinkedModules): void {
  const links = graph.link(path, module.imports)
  if (links.length > 0) linked.imports.set(path, links)
  const found = module.lazy.specifiers.map((specifier) => graph.resolve(path, specifier))
  const paths = found.filter((to) => to !== undefined)
  linked.lazy.set(path, { paths, isOpen: module.lazy.isOpen })
  const foreign = foreignIn(path, module, links)
  if (foreign.length > 0) linked.foreign.set(path, foreign)
  linked.exports.set(path, module.exports)
  linked.locals.set(path, module.locals)
  linked.styles.set(path, findStyles(path, module.preloads, graph))
}

/**
 * The addresses in Vite's lists start at the base, unless they start with a dot.
 * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` on a stylesheet from outside the output, which a page would refuse
 */
function findStyles(
  from: string,
  { styles }: Preloads,
  { resolve, resolveBelow }: Graph,
): string[] {
  return styles.map((address) => {
    const path = /^[^./][^:]*$/.test(address) ? resolveBelow(address) : resolve(from, address)
    if (path !== undefined) return path
    throw new SignedImpError(
      'ERR_SIGNEDIMP_OUTPUT',
      `loads the stylesheet "${address}" later, which is no file of this build, so a page would refuse it; let Vite's base name the host of all files`,
      { path: from },
    )
  })
}

function foreignIn(
  from: string,
  { imports, lazy }: RewrittenModule,
  links: readonly StaticImport[],
): ForeignImport[] {
  const isLinked = (item: ModuleImport) =>
    links.some(({ start, path }) => start === item.start && path !== from)
  const named = imports.filter((item) => isForeign(item.specifier) && !isLinked(item))
  const later = lazy.specifiers.filter(isForeign)
  return [
    ...named.map(({ specifier }) => ({ from, specifier, isStatic: true })),
    ...later.map((specifier) => ({ from, specifier, isStatic: false })),
  ]
}

/** What links in memory finds the declaration by its specifier, with no lexer. */
function checkDeclarations(path: string, { code, imports }: RewrittenModule): void {
  const text = unmarkUtf8(code)
  const unclear = imports.find(
    ({ declaration, start }) => declarationStart(text, start) !== declaration,
  )
  if (unclear)
    throw new SignedImpError(
      'ERR_SIGNEDIMP_OUTPUT',
      `imports something that is called "import" or "export" (${unclear.specifier}); call it something else`,
      { path },
    )
}

const noModuleName = (path: string): SignedImpError =>
  new SignedImpError(
    'ERR_SIGNEDIMP_OUTPUT',
    "is a module by no module's name; let it end in .js or .mjs",
    { path },
  )

function createRespell(
  { resolve }: Graph,
  entries: readonly ModuleEntry[],
  hasAliases: boolean,
): (from: string) => Respell {
  const moved = new Map(entries.map(({ from, main }) => [main, from]))
  const meanings = new Map<string, string>()
  return (from) => (item, isStatic) => {
    const { specifier } = item
    const path = specifier.startsWith('data:') ? undefined : resolve(from, specifier)
    if (path === undefined) return specifier
    if (isStatic && hasAliases) return spellAlias(from, { ...item, path }, meanings)
    const before = moved.get(path)
    return before === undefined || isRespelled(specifier, path)
      ? specifier
      : spellMain(from, item, before, path)
  }
}

/** Spells what is imported as the page will load it. */
const createToWhole =
  ({ resolve }: Graph, from: string, base: string): ToWhole =>
  ({ specifier }) => {
    const path = specifier.startsWith('data:') ? undefined : resolve(from, specifier)
    return path === undefined ? undefined : urlBelow(base, path) + tagKey
  }

const isRespelled = (specifier: string, main: string): boolean =>
  specifier.endsWith(lastSegment(main))

function spellAlias(from: string, item: StaticImport, meanings: Map<string, string>): string {
  const alias = aliasOf(item)
  const other = meanings.get(alias) ?? item.path
  meanings.set(alias, item.path)
  if (other !== item.path || /["'`\\$]/.test(alias))
    throw new SignedImpError(
      'ERR_SIGNEDIMP_OUTPUT',
      `imports ${item.path} by a name that cannot be told from others; give chunks plain and different names, for example with [hash]`,
      { path: from },
    )
  return alias
}

/** The two names differ in one character, which stands as far from the end in both. */
function spellMain(from: string, item: ModuleImport, before: string, main: string): string {
  const { start, end, specifier } = item
  let index = 0
  while (main[index] === before[index]) index++
  const at = specifier.length - (main.length - index)
  if (end - start !== specifier.length || specifier.slice(at) !== before.slice(index))
    throw new SignedImpError(
      'ERR_SIGNEDIMP_OUTPUT',
      `imports ${before} by an address that does not spell it out`,
      { path: from },
    )
  return specifier.slice(0, at) + main.slice(index)
}

/** Vite has what a lazy module needs in a list of texts, to load it early. */
function renameDependencies(code: string, entries: readonly ModuleEntry[]): string {
  if (entries.length === 0) return code
  return editLists(code, (list) =>
    entries.reduce(
      (text, { from, main }) =>
        ['"', '/'].reduce(
          (all, before) =>
            all.replaceAll(`${before}${lastSegment(from)}"`, `${before}${lastSegment(main)}"`),
          text,
        ),
      list,
    ),
  )
}

/**
 * What is to be linked in memory needs a stand-in for each module that what it imports imports: none of the two could
 * have its address first. Gives one to some modules more, that only connect such circles; none for an import of the module
 * itself, which stands for what cannot be linked so.
 * @param need whether there must be one for each, and whether there can be no circles at all: tags load modules one by one
 * @returns the texts by path
 * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT`
 */
export function createStandIns(
  { imports, exports }: LinkedModules,
  need: { standIns: boolean; noCircle: boolean },
): Map<string, string> {
  const edges = new Map(
    [...imports].map(([from, list]) => [from, list.filter((to) => to.path !== from)]),
  )
  let circular = [...edges.keys()]
  for (let before = -1; before !== circular.length;) {
    before = circular.length
    const left = new Set(circular)
    const importsOne = (path: string) => edges.get(path)!.some((to) => left.has(to.path))
    const imported = new Set(circular.flatMap((path) => edges.get(path)!.map((to) => to.path)))
    circular = circular.filter((path) => importsOne(path) && imported.has(path))
  }
  if (need.noCircle && circular.length > 0) throw circleOfTags(circular)
  // Pages that get an import map do without, the others then refuse.
  if (!need.standIns) circular = circular.filter((path) => !exports.get(path)!.includes('*'))
  return new Map(
    circular.map((path) => [standInOf(path), standInFor(namedExports(path, exports.get(path)!))]),
  )
}

/** @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` where some names are another module's to tell */
export function namedExports(path: string, names: readonly string[]): readonly string[] {
  if (!names.includes('*')) return names
  throw new SignedImpError(
    'ERR_SIGNEDIMP_OUTPUT',
    'exports everything of another module, by names that are not known here; name what it exports',
    { path },
  )
}

const circleOfTags = ([path, ...others]: string[]): SignedImpError =>
  new SignedImpError(
    'ERR_SIGNEDIMP_OUTPUT',
    `is in a circle of imports with ${others.join(', ')}, and the option "tags" needs each module to be there before what imports it; put them into one chunk, or do without "tags"`,
    { path },
  )

function standInFor(exports: readonly string[]): string {
  const locals = exports.map((_, at) => `e${at}`)
  const named = exports.map((name, at) => `e${at} as ${JSON.stringify(name)}`)
  const told = exports.map((name, at) => `e${at}=m[${JSON.stringify(name)}]`)
  return `${locals.length ? `let ${locals.join()};` : ''}export{${[...named, `u as "${updateName}"`].join()}};function u(m){${told.join(';')}}\n`
}
