/** The runtime where no import map can be: what runs was fetched once, hashed, and linked in memory. */
import type { SignedImpError } from '../errors.js'
import type { Adopting, ModuleRuntime, PageBoot, Runtime, Workers } from './context.js'
import { parsed } from './events.js'
import { createGuarding } from './guarding.js'
import { createImport, createMeta, type Load } from './import.js'
import { createLinked } from './linked.js'
import { importNatively } from './native-import.js'
import { proveNamed } from './prove.js'
import { notEnforceable, showRefusal } from './refuse.js'
import { createRelink } from './relink.js'
import { mainsOf } from './start.js'
import { createLink } from './style.js'
import { createTell } from './tell.js'

const context = __signedimp as PageBoot & ModuleRuntime & Runtime & Adopting

function createRuntime(): Pick<ModuleRuntime, 'main' | 'workers'> & Runtime {
  const workers: Workers = {}
  const { link, evaluate, resolve } = createLinked(context, importNatively)
  const tell = createTell(context)
  const load: Load = async (path, options) => {
    await workers.prepareFor?.(path)
    return evaluate(await link(path), options)
  }
  const guard = createGuarding(context, load)
  const show = (refused: SignedImpError) => showRefusal(refused, tell)

  /** Runs a page's main chunk by tags, as the page's own would: nothing waits for what a module awaits. */
  async function run(urls: string[]): Promise<void> {
    for (const url of urls)
      if ((await context.byTag(url)) !== 'load') return show(notEnforceable('no blobs'))
  }

  return {
    enforcement: 'blob',
    workers,
    import: createImport(context, load, tell),
    meta: createMeta(context, resolve),
    link: createLink(context, tell),
    main: async (path, loaded) => {
      await guard()
      const urls = await link(path)
      loaded()
      return evaluate(urls)
    },
    start: async () => {
      await proveNamed(context)
      await guard()
      Object.freeze(context)
      const mains = mainsOf(context).map((path) => link(path).catch(show))
      for (const path of mainsOf(context)) await workers.prepareFor?.(path)
      await parsed()
      for (const urls of mains) await run((await urls) ?? [])
    },
  }
}

// Where there is a runtime that has started, it lacks only what the browser will not load.
if (Object.isFrozen(context)) context.adopt(createRelink(context))
else Object.assign(context, createRuntime())
