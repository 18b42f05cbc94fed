import type { HashType } from '../crypto/algorithms.js'
import { decodeText, utf8, type Bytes } from '../crypto/bytes.js'
import { SignedImpError } from '../errors.js'
import { comparePaths, isPath, isSafeText } from './path.js'
import { refusal } from './refusal.js'

/** A static import: what is imported, and where the importing module's text says so. */
export interface StaticImport {
  /** First and last-plus-one UTF-16 unit of the specifier, without its quotes, in the text without its byte order mark. */
  start: number
  end: number
  /** The imported file. */
  path: string
}

/** What the signed text says. */
export interface Manifest {
  hash: HashType
  /** Which app and channel this is; a page accepts only its own. */
  name: string
  /** Increases with every release, where the publisher counts. */
  build?: number
  /** First moment at which the manifest is refused, `YYYY-MM-DDTHH:MM:SSZ`. */
  expires?: string
  /** Static imports by the path of the importing module. */
  imports: Map<string, StaticImport[]>
  /** Hash in lower-case hex by path. */
  files: Map<string, string>
}

/** A manifest that is not one, with the line where reading stopped. */
export const invalid = (line: number): SignedImpError => refusal('MANIFEST_INVALID', `line ${line}`)

/** The manifest's signed text. The inverse of {@link parseManifest}; same input, same bytes. */
export function formatManifest(manifest: Manifest): string {
  const { hash, name, build, expires, imports, files } = manifest
  const sorted = <T>(map: Map<string, T>) => [...map].sort(([a], [b]) => comparePaths(a, b))
  return [
    hash,
    '# signedimp: 1',
    `# name: ${name}`,
    ...(build === undefined ? [] : [`# build: ${build}`]),
    ...(expires === undefined ? [] : [`# expires: ${expires}`]),
    ...sorted(imports).map(
      ([path, list]) =>
        `# import: ${[path, ...list.map((to) => `${to.start}-${to.end} ${to.path}`)].join('\t')}`,
    ),
    ...sorted(files).map(([path, digest]) => `${digest} ${path}`),
  ].join('\n')
}

/**
 * The bytes to sign: {@link formatManifest} in UTF-8, read back, so that nothing is signed that nobody can read.
 * @throws {@link SignedImpError} `ERR_SIGNEDIMP_MANIFEST_INVALID` on a manifest that has no spelling
 */
export function writeSignedText(manifest: Manifest): Bytes {
  const text = utf8(formatManifest(manifest))
  parseManifest(text, 1)
  return text
}

/**
 * Reads a signed text: the one spelling that {@link formatManifest} gives, nothing else.
 * @param firstLine the number of the text's first line in the stored file, for messages
 * @throws {@link SignedImpError} `ERR_SIGNEDIMP_MANIFEST_INVALID` with the line's number
 */
export function parseManifest(text: Uint8Array, firstLine: number, maxLines = Infinity): Manifest {
  const manifest = { imports: new Map(), files: new Map() } as Manifest
  let kind = -1
  let last = ''
  const follow = <T>(map: Map<string, T>, path: string, value: T): boolean =>
    comparePaths(path, last) > 0 && !!map.set((last = path), value)
  const read = (line: string): unknown => {
    const [, ...found] = grammar.exec(line) ?? []
    const [hash, , name, build, expires, from, list, digest, path] = found
    const before = kind
    kind = found.findIndex((part) => part)
    if (kind !== before) last = ''
    // The first three kinds must all be there; the last two may repeat.
    if (before < 2 ? kind !== before + 1 : kind < before || (kind === before && kind < 5)) return
    if (hash) return (manifest.hash = hash as HashType)
    if (name) return isSafeText((manifest.name = name))
    if (build) return Number.isSafeInteger((manifest.build = +build))
    if (expires) return isInstant((manifest.expires = expires))
    if (from) return follow(manifest.imports, from, readImports(list!))
    return (
      !path ||
      (digest!.length * 4 === +manifest.hash.slice(3) &&
        isPath(path) &&
        follow(manifest.files, path, digest!))
    )
  }
  // What is not UTF-8 becomes U+FFFD, which nothing may contain.
  const lines = decodeText(text).split('\n')
  lines.forEach((line, at) => {
    if (at >= maxLines || !read(line)) throw invalid(firstLine + at)
  })
  const { imports, files } = manifest
  const listed = [...imports].every(([path, list]) =>
    [{ path }, ...list].every((to) => files.has(to.path)),
  )
  if (kind < 2 || !listed) throw invalid(firstLine + lines.length)
  return manifest
}

/** A line of the signed text: its kinds in their order. */
const grammar =
  /^(?:(sha256|sha384|sha512)|# (signedimp): 1|# name: (.+)|# build: (0|[1-9]\d*)|# expires: (.+)|# import: ([^\t]+)((?:\t(?:0|[1-9]\d{0,8})-[1-9]\d{0,8} [^\t]+)+)|([0-9a-f]+) (.+))$/

const readImports = (list: string): StaticImport[] =>
  list
    .slice(1)
    .split('\t')
    .map((item) => {
      const [, start, end, path] = /(\d+)-(\d+) (.+)/s.exec(item)!
      return { start: +start!, end: +end!, path: path! }
    })

/** Whether a text is an instant as `expires` spells it. */
export const isInstant = (text: string): boolean =>
  text.length === 20 && new Date(text).toJSON()?.replace('.000', '') === text
