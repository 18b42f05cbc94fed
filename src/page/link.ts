import { standInOf, updateName } from '../manifest/alias.js'
import type { Boot } from './context.js'
import { closureOf } from './prove.js'

/** Gives a module's text; what is refused is not given. */
export type Read = (path: string) => Promise<string>

/** Links a module. @returns the URLs to import, in order; the last one is the module's own */
export type Link = (path: string) => Promise<string[]>

/**
 * Links modules in memory: each becomes a blob in whose text the signed offsets say where the URLs of others go. A
 * module has one URL, and so is one instance. What it imports is evaluated in the order that the text says.
 */
export function createLink({ manifest, toUrl }: Boot, read: Read): Link {
  const urls = new Map<string, string>()
  /** A module that is imported by what it imports has no URL yet: these stand in for it there, and are told later. */
  const standIns = new Map<string, string>()
  const updates = new Map<string, string>()
  const reading = new Map<string, Promise<string>>()

  const readOnce = (path: string) => {
    const text = reading.get(path) ?? read(path)
    reading.set(path, text)
    text.catch(() => reading.delete(path))
    return text
  }

  async function readAll(path: string): Promise<Map<string, string>> {
    const modules = [...closureOf(manifest, path)].filter((file) => !urls.has(file))
    const files = modules.flatMap((file) => [file, standInOf(file)])
    const listed = files.filter((file) => manifest.files.has(file))
    return new Map(
      await Promise.all(listed.map(async (file) => [file, await readOnce(file)] as const)),
    )
  }

  /** @param open the modules that are being linked, each imported by the one before */
  function linkOne(path: string, texts: Map<string, string>, open: Set<string>): string {
    const known = urls.get(path)
    if (known !== undefined) return known
    const text = texts.get(path)!
    let code = ''
    let at = 0
    open.add(path)
    for (const { start, end, path: to } of manifest.imports.get(path) ?? []) {
      code += text.slice(at, start) + (open.has(to) ? standIn(to, texts) : import_(to, text[end]!))
      at = end
    }
    open.delete(path)
    const url = createModule(path, code + text.slice(at))
    urls.set(path, url)
    if (standIns.has(path)) updates.set(path, createUpdate(url, standIns.get(path)!))
    return url

    /** Whoever imports a module that another URL stands in for has that told first. */
    function import_(to: string, quote: string): string {
      const target = linkOne(to, texts, open)
      return updates.has(to) ? `${target}${quote};import${quote}${updates.get(to)}` : target
    }
  }

  function standIn(path: string, texts: Map<string, string>): string {
    const url = standIns.get(path) ?? createBlob(texts.get(standInOf(path))!, path)
    standIns.set(path, url)
    return url
  }

  const createModule = (path: string, text: string): string =>
    createBlob(/\.m?js$/.test(path) ? withSource(text, toUrl(path)) : text, path)

  return async (path) => {
    const texts = await readAll(path)
    const url = linkOne(path, texts, new Set())
    const update = updates.get(path)
    return update === undefined ? [url] : [update, url]
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

function createBlob(text: string, path: string): string {
  const [, type = ''] = types.find(([pattern]) => pattern.test(path)) ?? []
  return URL.createObjectURL(new Blob([text], { type }))
}

/** Stacks and debuggers go by the file's own URL, and find its source map from there. */
const withSource = (text: string, url: string): string =>
  text.replace(
    /(\n\/\/# sourceMappingURL=)(?!\w+:)(\S+)(?=(\n\/\/# \S+)*\s*$)/,
    (_, comment: string, map: string) => comment + new URL(map, url).href,
  ) + `\n//# sourceURL=${url}`
