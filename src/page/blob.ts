/** The runtime of module entries where no import map can be: what runs was fetched once, hashed, and linked in memory. */
import type { ModuleRuntime, Registry } from './context.js'
import { createImport, createMeta } from './import.js'
import { createLinked } from './linked.js'
import { createLink } from './style.js'

const context = __signedimp as ModuleRuntime
const { link, evaluate, resolve } = createLinked(context, (url, options) =>
  options ? import(url, options) : import(url),
)

const runtime: Pick<ModuleRuntime, keyof Registry | 'main'> = {
  import: createImport(context, async (path, options) => evaluate(await link(path), options)),
  meta: createMeta(context, resolve),
  link: createLink(context),
  main: async (path, loaded) => {
    const urls = await link(path)
    loaded()
    return evaluate(urls)
  },
}
Object.assign(context, runtime)
