/**
 * What a specifier means. In a root, the manifest says which files there are: the disk is not asked, so that no link, no
 * `package.json` and no missing file makes a specifier mean another signed file than the one it names.
 */
import { refusal } from '../manifest/refusal.js'
import { endsWith, indexOf, node, resolveUrl, slice, startsWith } from './captured.js'
import { fieldOf, folderOf } from './format.js'
import { checkPlace, isListed, locate, placeOf, type Judge, type Place } from './judge.js'
import { isThere } from './read.js'
import { realPath } from './real-path.js'
import type { Root } from './root.js'

/** Who asks for what. */
export interface Request {
  specifier: string
  /** URL of the module that asks; undefined where it is none. */
  parent: string | undefined
  /** Whether it is a path, as `require` takes it, and not a URL. */
  isPath: boolean
}

/** Whether a specifier says where a file is, and not what a package is called. */
const isRelative = (specifier: string): boolean =>
  specifier === '.' ||
  specifier === '..' ||
  startsWith(specifier, './') ||
  startsWith(specifier, '../')

/**
 * The file of a root that a specifier names; undefined where it names none, and the runtime must say what it means.
 * @throws SignedImpError `…_UNLISTED` for one that is in a root and not listed
 */
export function findNamed(judge: Judge, request: Request): Place | undefined {
  const file = request.isPath ? fileOfPath(request) : fileOfUrl(request)
  if (file === undefined) return undefined
  const place = locate(judge, file)
  if (!place) return undefined
  const found = request.isPath ? findRequired(place, request.specifier) : listed(place)
  if (!found) throw refusal('UNLISTED', 'the manifest does not list it', place.path)
  return found
}

function fileOfUrl({ specifier, parent }: Request): string | undefined {
  if (!isRelative(specifier) && !startsWith(specifier, '/') && !startsWith(specifier, 'file:'))
    return undefined
  const url = resolveUrl(specifier, parent)
  return startsWith(url, 'file:') ? node.fileURLToPath(url) : undefined
}

function fileOfPath({ specifier, parent }: Request): string | undefined {
  if (node.isAbsolute(specifier)) return node.resolve(specifier)
  if (!isRelative(specifier) || parent === undefined || !startsWith(parent, 'file:'))
    return undefined
  return node.resolve(node.dirname(node.fileURLToPath(parent)), specifier)
}

const listed = (place: Place): Place | undefined => (isListed(place) ? place : undefined)

/** As `require` searches (Node, "Modules: CommonJS modules", "All together"), among the files that are listed. */
function findRequired({ root, path }: Place, specifier: string): Place | undefined {
  const isFolder = endsWith(specifier, '/') || endsWith(specifier, '.')
  return (isFolder ? undefined : findFile(root, path)) ?? findFolder(root, path)
}

const findFile = (root: Root, path: string): Place | undefined =>
  listed({ root, path }) ??
  listed({ root, path: `${path}.js` }) ??
  listed({ root, path: `${path}.json` }) ??
  listed({ root, path: `${path}.node` })

function findFolder(root: Root, folder: string): Place | undefined {
  const within = folder === '' ? '' : `${folder}/`
  const description = listed({ root, path: `${within}package.json` })
  const main = description && fieldOf(checkPlace(description), 'main')
  const named = main
    ? placeOf({ roots: [root] } as unknown as Judge, node.resolve(root.folder + within, main))
    : undefined
  const index = `${within}index`
  return (
    (named && (findFile(root, named.path) ?? findFile(root, `${named.path}/index`))) ??
    findFile(root, index)
  )
}

/**
 * Refuses a file that is a link: Bun and Deno follow it before they ask for a text, and would load another one in its place.
 * @throws SignedImpError `…_CHANGED`
 */
export function refuseLink({ root, path }: Place): void {
  const file = root.folder + path
  // What is not there is refused when it is read.
  if (realPath(file) !== file) throw refusal('CHANGED', 'a link stands in its place', path)
}

/**
 * Refuses what the runtime found for a package's name, if it is in a root and may be another package's: all that says
 * what the name means must be signed, and in its place.
 * @param found URL
 * @throws SignedImpError
 */
export function checkFound(judge: Judge, { specifier, parent }: Request, found: string): void {
  if (!startsWith(found, 'file:')) return
  const place = placeOf(judge, node.fileURLToPath(found))
  if (!place) return
  const from =
    parent !== undefined && startsWith(parent, 'file:')
      ? placeOf(judge, node.fileURLToPath(parent))
      : undefined
  if (from) checkDescriptions(from)
  const name = checkDescriptions(place)
  const wanted = packageOf(specifier)
  const isInPlace = indexOf(`/${place.path}`, `/node_modules/${wanted}/`, 0) >= 0
  if (wanted === '' || (!isInPlace && name !== wanted && !startsWith(wanted, '#')))
    throw refusal('UNLISTED', `not where "${specifier}" must be`, place.path)
}

/** The name of a package in a specifier; empty where it is a path. */
function packageOf(specifier: string): string {
  if (isRelative(specifier) || node.isAbsolute(specifier)) return ''
  const slash = indexOf(specifier, '/', 0)
  const end = startsWith(specifier, '@') ? indexOf(specifier, '/', slash + 1) : slash
  return end < 0 ? specifier : slice(specifier, 0, end)
}

/**
 * Refuses a file of a package of a root where what says what the package is may be somebody else's. Bun does not ask what a
 * package's name means.
 * @throws SignedImpError
 */
export function checkPackage(place: Place): void {
  if (indexOf(`/${place.path}`, '/node_modules/', 0) >= 0) checkDescriptions(place)
}

/** Each `package.json` above a file must be signed, or there must be none. @returns the nearest name that one says */
function checkDescriptions({ root, path }: Place): string | undefined {
  let name: string | undefined
  for (let at = path; at !== '';) {
    at = folderOf(at)
    const description = { root, path: at === '' ? 'package.json' : `${at}/package.json` }
    if (!isListed(description) && !isThere(root.folder + description.path)) continue
    const own = fieldOf(checkPlace(description), 'name')
    name ??= own
  }
  return name
}
