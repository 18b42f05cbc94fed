/** The runtime where no import map can be: what runs was fetched once, hashed, and linked in memory. */
import type { ModuleRuntime, PageBoot, Runtime } from './context.js'
import { parsed } from './events.js'
import { createImport, createMeta } from './import.js'
import { createLinked } from './linked.js'
import { proveNamed } from './prove.js'
import { notEnforceable, showRefusal } from './refuse.js'
import { mainsOf } from './start.js'

const context = __signedimp as PageBoot & ModuleRuntime & Runtime
const { link, evaluate, resolve } = createLinked(context, (url, options) =>
  options ? import(url, options) : import(url),
)

const runtime: Pick<ModuleRuntime, 'main'> & Runtime = {
  enforcement: 'blob',
  import: createImport(context, async (path, options) => evaluate(await link(path), options)),
  meta: createMeta(context, resolve),
  main: async (path, loaded) => {
    const urls = await link(path)
    loaded()
    return evaluate(urls)
  },
  start: async () => {
    await proveNamed(context)
    Object.freeze(context)
    const mains = mainsOf(context).map((path) => link(path).catch(showRefusal))
    await parsed()
    for (const urls of mains) await run((await urls) ?? [])
  },
}
Object.assign(context, runtime)

/** Runs a page's main chunk by tags, as the page's own would: nothing waits for what a module awaits. */
async function run(urls: string[]): Promise<void> {
  for (const url of urls)
    if ((await context.byTag(url)) !== 'load') return showRefusal(notEnforceable('no blobs'))
}
