import { hashTypes, type HashType } from '../crypto/algorithms.js'
import { fromUtf8 } from '../crypto/bytes.js'
import { SignedImpError } from '../errors.js'
import { comparePaths, isPath, isSafeText } from './path.js'

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
export const invalid = (line: number, reason: string): SignedImpError =>
  new SignedImpError('ERR_SIGNEDIMP_MANIFEST_INVALID', `line ${line} ${reason}`)

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
 * Reads a signed text: the one spelling that {@link formatManifest} gives, nothing else.
 * @param firstLine the number of the text's first line in the stored file, for messages
 * @throws {@link SignedImpError} `ERR_SIGNEDIMP_MANIFEST_INVALID` with the line's number
 */
export function parseManifest(text: Uint8Array, firstLine: number, maxLines = Infinity): Manifest {
  const lines = decode(text, firstLine).split('\n')
  let at = 0
  const check = (ok: unknown, reason: string) => {
    if (!ok) throw invalid(firstLine + at, reason)
  }
  check(lines.length <= maxLines, `and more: over ${maxLines} lines`)
  const hash = lines[0] as HashType
  check(hashTypes.includes(hash), 'is no known hash type')
  const directive = (key: string): string | undefined => {
    const prefix = `# ${key}: `
    return lines[at + 1]?.startsWith(prefix) ? lines[++at]!.slice(prefix.length) : undefined
  }
  check(directive('signedimp') === '1', 'is not followed by "# signedimp: 1"')
  const name = directive('name') ?? ''
  check(isSafeText(name), 'has no name')
  const manifest: Manifest = { hash, name, imports: new Map(), files: new Map() }

  const build = directive('build')
  if (build !== undefined) {
    manifest.build = Number(build)
    check(
      Number.isSafeInteger(manifest.build) && /^(0|[1-9]\d*)$/.test(build),
      'is no build number',
    )
  }
  const expires = directive('expires')
  if (expires !== undefined) {
    check(isInstant(expires), 'is no date')
    manifest.expires = expires
  }

  let previous = ''
  for (let value; (value = directive('import')) !== undefined;) {
    const [path, ...list] = value.split('\t') as [string, ...string[]]
    check(comparePaths(path, previous) > 0 && list[0], 'is out of order')
    manifest.imports.set(
      (previous = path),
      list.map((item) => {
        const [, start, end, to] = /^(0|[1-9]\d{0,8})-([1-9]\d{0,8}) (.+)$/.exec(item) ?? []
        check(to, 'is no import')
        return { start: +start!, end: +end!, path: to! }
      }),
    )
  }

  previous = ''
  const shape = new RegExp(`^[0-9a-f]{${+hash.slice(3) / 4}} .`)
  while (++at < lines.length) {
    const line = lines[at]!
    const path = line.slice(line.indexOf(' ') + 1)
    check(shape.test(line) && isPath(path), 'is no file line')
    check(comparePaths(path, previous) > 0, 'is out of order')
    manifest.files.set((previous = path), line.slice(0, line.indexOf(' ')))
  }
  for (const [path, list] of manifest.imports)
    check(
      [path, ...list.map((to) => to.path)].every((to) => manifest.files.has(to)),
      'ends a text that imports unlisted files',
    )
  return manifest
}

/** Whether a text is an instant as `expires` spells it. */
export const isInstant = (text: string): boolean =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) &&
  Date.parse(text) > 0 &&
  new Date(text).toISOString() === text.replace('Z', '.000Z')

function decode(text: Uint8Array, line: number): string {
  try {
    return fromUtf8(text)
  } catch {
    throw invalid(line, 'or a later one is not UTF-8')
  }
}
