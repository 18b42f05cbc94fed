/** Which entries of a signed output a page starts, and by what addresses it knows the output. */
import { SignedImpError } from '../errors.js'
import type { Manifest } from '../manifest/format.js'
import { isModulePath, pathToRelativeUrl } from '../manifest/path.js'
import { findBaseElement } from './base-element.js'
import { readModuleBootstrap, toIntegrity, type ModuleBootstrap } from './bootstrap.js'
import { matches } from './coverage.js'
import type { Release } from './release.js'
import { foldMaps } from './fold.js'
import { createGraph, hasHost, type Base, type Graph } from './graph.js'
import { judgeTag, tagsOf } from './judge.js'
import type { Output } from './output.js'
import { createRefer } from './pages.js'
import { findTags, type Tag } from './tags.js'

/** An output as it was signed. */
export interface SignedFolder {
  main: Manifest
  /** Page manifests by name. */
  pages: ReadonlyMap<string, Manifest>
  /** Where its files are, as pages refer to them: the way to it from the nearest folder that holds the pages too. */
  place: Base
  /** The text of a listed file, as it was signed. */
  read(path: string): string
}

/** A page, and where its relative references start if it says so. */
interface Referring {
  path: string
  start: string | undefined
}

/** The file that a reference of a page means, if it is one of the output. */
type Resolve = (reference: string) => string | undefined

/** What a page says of an output. */
export interface PageOfFolder {
  /** What it starts, in order. */
  starts: ModuleBootstrap[]
  /** What stands before the paths of files in its references. */
  base: Base
  /** Stylesheets and classic scripts of the output that it loads, and what its own import map means. */
  checked: string[]
  /** Finds files as the page names them; of what starts, the main chunk. */
  graph: Pick<Graph, 'resolve' | 'locate' | 'urlOf'>
}

/** An entry, and the address in the tag that starts it. */
interface Start extends ModuleBootstrap {
  reference: string
}

/** What tells whether an entry can be started by a page. */
export type Wanted = Pick<Release, 'keys' | 'threshold' | 'unverified' | 'page'>

/**
 * Reads a page.
 * @param path of the page, from the output's folder
 * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` where it starts nothing, or something that pages cannot start
 */
export function readPage(
  path: string,
  html: string,
  folder: SignedFolder,
  wanted: Wanted,
): PageOfFolder {
  const tags = findTags(html)
  if (tags.some(isBootstrap))
    throw refuse(path, 'starts through a bootstrap already; give the page as it was before that')
  const page = { path, start: findBaseElement(path, tags) }
  const starts = findStarts(page, tags, folder, wanted)
  if (starts.length === 0)
    throw refuse(path, `starts no entry of the folder${toldOf(tags)}; name one in a module script`)
  for (const { entry, pinned } of starts) {
    const reason = reasonAgainst({ entry, pinned }, folder, wanted)
    if (reason !== undefined) throw refuse(entry.path, reason)
  }
  const base = baseOf(page, starts, folder)
  const graph = createGraphOf(page, starts, folder, base)
  const resolve = (reference: string) => graph.resolve(path, reference)
  const actions = tags.map((tag) => ({
    tag,
    ...judgeTag(tag, { resolve, isModule: isModulePath }),
  }))
  const checked = actions.flatMap((action) => (action.kind === 'check' ? action.path : []))
  const { targets } = foldMaps(tagsOf('map', actions), tagsOf('entry', actions)[0]!, [], {
    path,
    base,
    resolve,
    locate: (reference) => graph.locate(path, reference, page.start),
    urlOf: graph.urlOf,
    refer: createRefer(path, base, page.start),
    integrityOf: (file) => toIntegrity(folder.main.hash, folder.main.files.get(file)!),
    modules: [...folder.main.files.keys()].filter(isModulePath),
    external: new Map(),
    isAccepted: () => false,
  })
  return { starts, base, checked: [...checked, ...targets], graph }
}

/** A refusal of a page, or of what it starts. */
export const refuse = (path: string, reason: string): SignedImpError =>
  new SignedImpError('ERR_SIGNEDIMP_OUTPUT', reason, { path })

/** Module scripts of a page, of which none is an entry. */
function toldOf(tags: Tag[]): string {
  const modules = tags.filter(({ attributes }) => attributes.get('type') === 'module')
  const names = modules.flatMap(({ attributes }) => attributes.get('src') ?? [])
  return names.length > 0 ? `, for ${names.join(', ')} is none` : ''
}

/** Whether a tag carries the bootstrap of a page. */
export const isBootstrap = ({ attributes }: Tag): boolean =>
  attributes.has('data-manifest') && attributes.has('data-runtime')

function findStarts(page: Referring, tags: Tag[], folder: SignedFolder, wanted: Wanted): Start[] {
  const read = (file: string) => readModuleBootstrap(wanted.page, folder.read(file))
  const resolve = createLocate(page, folder, read)
  const starts = new Map<string, Start>()
  for (const tag of tags) {
    const action = judgeTag(tag, { resolve, isModule: isModulePath })
    if (action.kind !== 'entry') continue
    const reference = tag.attributes.get('src')!.trim()
    const found = read(action.path)
    if (found?.entry.path === action.path) starts.set(action.path, { ...found, reference })
    else if (!wanted.unverified.some((pattern) => matches(pattern, reference)))
      throw refuse(action.path, reasonAgainstModule(page.path, found))
  }
  return [...starts.values()]
}

const reasonAgainstModule = (page: string, found: ModuleBootstrap | undefined): string =>
  found
    ? `was built as ${found.entry.path}; give the folder that the build wrote to`
    : `is started by ${page}, and is no entry of a build with these keys, this version of signedimp and this "pure"; name an entry there, or build again`

/** Resolves references when it is not known yet on which host the files will be: each entry says its own. */
function createLocate(
  { path, start }: Referring,
  { main, place }: SignedFolder,
  read: (path: string) => ModuleBootstrap | undefined,
): Resolve {
  const output = toOutput(main, [])
  const layout = createGraph(output, place)
  const isThere = (to: string, reference: string) => {
    const { base = '' } = read(to)?.entry ?? {}
    return hasHost(base) && createGraph(output, base).resolve(path, reference, start) === to
  }
  const onHost = (reference: string) =>
    [...main.files.keys()]
      .filter((to) => isModulePath(to) && reference.endsWith(pathToRelativeUrl(to).slice(1)))
      .find((to) => isThere(to, reference))
  return (reference) =>
    layout.resolve(path, reference, start) ?? (hasHost(reference) ? onHost(reference) : undefined)
}

/** Why a page cannot start an entry, if so. */
function reasonAgainst(
  { entry, pinned }: ModuleBootstrap,
  { pages }: SignedFolder,
  { keys, threshold }: Wanted,
): string | undefined {
  if (entry.late !== undefined)
    return "is of a build whose modules import one another by names that only entries give; build with html: 'later'"
  if (!pages.has(entry.manifest)) return `names ${entry.manifest}, which is not there; build again`
  const [own, given] = [pinned.keys, keys].map((list) =>
    list.map(({ fingerprint }) => fingerprint).sort(),
  )
  return `${own}` === `${given}` && pinned.threshold === threshold
    ? undefined
    : `accepts ${signaturesOf(own!, pinned.threshold)}, and the page would accept ${signaturesOf(given!, threshold)}; give the keys and the threshold of the build`
}

const signaturesOf = (keys: string[], threshold: number): string =>
  `${threshold} of ${keys.join(', ')}`

/** What has to stand before paths in references: where the build said it, that; else what the page's own tag has there. */
function baseOf({ path, start }: Referring, starts: Start[], { main, place }: SignedFolder): Base {
  const [{ entry, reference }] = starts as [Start]
  if (starts.some((one) => one.entry.base !== entry.base))
    throw refuse(path, 'starts entries of builds for several hosts; start those of one only')
  if (entry.base) return entry.base
  const folders = reference.split('/').slice(0, -entry.path.split('/').length)
  const prefix = folders.map((folder) => `${folder}/`).join('')
  const layout = createGraph(toOutput(main, []), place)
  const base = [prefix, ...(reference.startsWith('/') ? [] : [''])].find(
    (before) =>
      layout.resolve(path, createRefer(path, before, start)(entry.path), start) === entry.path,
  )
  if (base !== undefined) return base
  throw refuse(path, `names ${entry.path} by an address that does not spell it out`)
}

function createGraphOf(
  { path, start }: Referring,
  starts: Start[],
  { main, place }: SignedFolder,
  base: Base,
): PageOfFolder['graph'] {
  const graphs = (hasHost(base) ? [place, base] : [place]).map((where) =>
    createGraph(toOutput(main, []), where),
  )
  for (const graph of graphs) for (const { entry } of starts) graph.move(entry.path, entry.main)
  const resolve = (_: string, reference: string) => {
    for (const graph of graphs) {
      const found = graph.resolve(path, reference, start)
      if (found !== undefined) return found
    }
    return undefined
  }
  return { ...graphs.at(-1)!, resolve }
}

/** The files of an output, as far as pages need to know them. */
export const toOutput = ({ files }: Manifest, modules: readonly string[]): Output =>
  new Map(
    [...files].map(([path, digest]) => [
      path,
      { path, digest, isModule: modules.includes(path), isEntry: false },
    ]),
  )
