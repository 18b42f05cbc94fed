/** The second file of ours in a page, itself listed and checked: starts the app, and is what its chunks import with. */
import type { Boot, Runtime } from './context.js'
import { createImport, toAbsolute } from './import.js'
import { createProve, proveDenied, proveNamed } from './prove.js'
import { start } from './start.js'

const context = __signedimp as Boot
const { toUrl, resolve } = context
const prove = createProve(context)
const metas = new Map<string, ImportMeta>()

function createMeta(path: string): ImportMeta {
  const url = toUrl(path)
  const meta = {
    __proto__: null,
    url,
    resolve: (specifier: string) => resolve(toAbsolute(specifier, url).href),
  }
  return meta as unknown as ImportMeta
}

const runtime: Runtime = {
  import: createImport(context, prove),
  meta(path) {
    const meta = metas.get(path) ?? createMeta(path)
    metas.set(path, meta)
    return meta
  },
  start: async (entry) => {
    proveDenied(context)
    await proveNamed(context)
    // Tags run in order, downloads overlap.
    const paths = entry.split(' ').map(decodeURIComponent)
    await Promise.all(paths.map((path) => start(context, prove, path)))
  },
}
Object.freeze(Object.assign(context, runtime))
