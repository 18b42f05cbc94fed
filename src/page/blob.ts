/** The runtime of module entries where no import map can be: what runs was fetched once, hashed, and linked in memory. */
import type { ModuleRuntime } from './context.js'
import { createImport, createMeta } from './import.js'
import { createLinked } from './linked.js'

const context = __signedimp as ModuleRuntime
const { link, evaluate, resolve } = createLinked(context, (url, options) =>
  options ? import(url, options) : import(url),
)

const runtime: Pick<ModuleRuntime, 'import' | 'meta' | 'main'> = {
  import: createImport(context, async (path, options) => evaluate(await link(path), options)),
  meta: createMeta(context, resolve),
  main: async (path, loaded) => {
    const urls = await link(path)
    loaded()
    return evaluate(urls)
  },
}
Object.assign(context, runtime)
