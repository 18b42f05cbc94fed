import { declarationStart, standInOf, updateName } from '../manifest/linking.js'
import type { Boot } from './context.js'
import { listedClosure } from './prove.js'
import { notEnforceable } from './refuse.js'

/** Gives a module's text; what is refused is not given. */
export type Read = (path: string) => Promise<string>

/** What links modules. */
export interface Linker {
  /** @returns the URLs to import, in order; the last one is the module's own */
  link(path: string): Promise<string[]>
  /** URLs by path of a linked module and all that it imports statically. */
  closure(path: string): [path: string, url: string][]
  /** Starts to fetch what will be linked. */
  prefetch(path: string): void
}

/**
 * Links modules in memory: each becomes a blob, in whose text the signed offsets say where it imports. A module has one
 * URL, and so is one instance. What it imports is evaluated in the order that the text says.
 * @param native the URL of a module that is there already, with all that it imports
 */
export function createLinker(
  { manifest, toUrl }: Boot,
  read: Read,
  native: (path: string) => string | undefined = () => undefined,
): Linker {
  const urls = new Map<string, string>()
  const urlOf = (path: string) => urls.get(path) ?? native(path)
  /** A module that is imported by what it imports has no URL yet: these stand in for it there, and are told later. */
  const standIns = new Map<string, string>()
  const updates = new Map<string, string>()
  /** Modules that stood open when others were linked below them, which know them by a stand-in. */
  const awaited = new Map<string, Set<string>>()
  const awaitedBy = (path: string) => awaited.get(path) ?? []
  const reading = new Map<string, Promise<string>>()

  const readOnce = (path: string) => {
    const text = reading.get(path) ?? read(path)
    reading.set(path, text)
    text.catch(() => reading.delete(path))
    return text
  }

  async function readAll(path: string): Promise<Map<string, string>> {
    const modules = [...listedClosure(manifest, path)].filter((file) => !urlOf(file))
    const files = modules.flatMap((file) => [file, standInOf(file)])
    const listed = files.filter((file) => manifest.files.has(file))
    return new Map(
      await Promise.all(listed.map(async (file) => [file, await readOnce(file)] as const)),
    )
  }

  /** @param open the modules that are being linked, each imported by the one before */
  function linkOne(path: string, texts: Map<string, string>, open: Set<string>): string {
    const known = urlOf(path)
    if (known !== undefined) return known
    let code = texts.get(path)!
    let declarations = ''
    const waits = new Set<string>()
    open.add(path)
    for (const { start, end, path: to } of manifest.imports.get(path) ?? []) {
      // What only a page's import map gives a meaning says that the module imports itself.
      if (to === path) throw notEnforceable('an import without a map', path)
      const from = declarationStart(code, start)
      const quote = code[end]!
      const targets = open.has(to) ? [standIn(to, texts)] : linkImport(to, texts, open)
      for (const one of open.has(to) ? [to] : awaitedBy(to)) if (open.has(one)) waits.add(one)
      // Behind the code they mean the same, and their new length moves nothing.
      declarations +=
        code.slice(from, start) + targets.join(`${quote};import${quote}`) + quote + ';'
      code = code.slice(0, from) + blank(code.slice(from, end + 1)) + code.slice(end + 1)
    }
    open.delete(path)
    waits.delete(path)
    awaited.set(path, waits)
    const url = createModule(path, code, declarations)
    urls.set(path, url)
    if (standIns.has(path)) updates.set(path, createUpdate(url, standIns.get(path)!))
    return url
  }

  /** Whoever imports from a circle has its stand-ins told, but for those of modules that are yet to be. */
  function linkImport(path: string, texts: Map<string, string>, open: Set<string>): string[] {
    const url = linkOne(path, texts, open)
    const told = [path, ...awaitedBy(path)].filter((one) => !open.has(one))
    return [url, ...told.flatMap((one) => updates.get(one) ?? [])]
  }

  function standIn(path: string, texts: Map<string, string>): string {
    const text = texts.get(standInOf(path))
    if (text === undefined) throw notEnforceable('a circle of imports', path)
    const url = standIns.get(path) ?? createBlob(text, path)
    standIns.set(path, url)
    return url
  }

  function createModule(path: string, code: string, declarations: string): string {
    if (!/\.m?js$/.test(path)) return createBlob(code, path)
    return createBlob(`${code}\n;${declarations}${sourceOf(code, toUrl(path))}`, path)
  }

  return {
    async link(path) {
      const texts = await readAll(path)
      const [url, ...told] = linkImport(path, texts, new Set())
      return [...told, url!]
    },
    closure: (path) => [...listedClosure(manifest, path)].map((file) => [file, urlOf(file)!]),
    prefetch(path) {
      if (!urlOf(path)) readOnce(path).catch(() => {})
    },
  }
}

/** Tells a module's stand-in what the module exports, once it has been evaluated. */
const createUpdate = (url: string, standIn: string): string =>
  createBlob(
    `import*as m from"${url}";import{"${updateName}" as u}from"${standIn}";u(m)`,
    'update.js',
  )

/** Types by extension: the server's word for them is not signed. */
const types: [pattern: RegExp, type: string][] = [
  [/\.m?js$/, 'text/javascript'],
  [/\.json$/, 'application/json'],
  [/\.css$/, 'text/css'],
]

/** The URL of a blob that is what a path says. */
export function createBlob(text: string, path: string): string {
  const [, type = ''] = types.find(([pattern]) => pattern.test(path)) ?? []
  return URL.createObjectURL(new Blob([text], { type }))
}

/** Of one length with a declaration; what stands around it stays apart. */
const blank = (text: string): string => ';' + text.slice(1).replace(/[^\n\r\u2028\u2029]/g, ' ')

/** Stacks and debuggers go by the file's own URL, and find its source map from there. */
function sourceOf(code: string, url: string): string {
  const [, map] = /\n\/\/# sourceMappingURL=(?!\w+:)(\S+)(?:\n\/\/# \S+)*\s*$/.exec(code) ?? []
  const comment = map === undefined ? '' : `\n//# sourceMappingURL=${new URL(map, url).href}`
  return `${comment}\n//# sourceURL=${url}`
}
