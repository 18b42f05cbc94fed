/** The runtime of module entries where a late import map was proven: the browser checks and links. */
import { isModulePath } from '../manifest/path.js'
import type { Mapped, ModuleRuntime, Registry } from './context.js'
import { createImport, createMeta, createPathOf } from './import.js'
import { createMappedLoad, preload } from './mapped.js'
import { listedClosure } from './prove.js'
import { createLink } from './style.js'

const context = __signedimp as ModuleRuntime & Mapped
const { manifest, toUrl, salt } = context

/** A name that nobody can have used before the map came, and that needs no rule of it but the integrity. */
const keyOf = (path: string) => toUrl(path) + salt
const load = createMappedLoad(context, (path) => listedClosure(manifest, path), keyOf)
const pathOf = createPathOf(context)

const resolve = (url: string) => {
  const path = pathOf(url)
  return path !== undefined && isModulePath(path) ? keyOf(path) : url
}

const runtime: Pick<ModuleRuntime, keyof Registry | 'main'> = {
  import: createImport(context, load),
  meta: createMeta(context, resolve),
  link: createLink(context),
  main: async (path, loaded) => {
    const downloads = [...listedClosure(manifest, path)].map((file) => preload(keyOf(file)))
    void Promise.all(downloads).then(loaded)
    return load(path)
  },
}
Object.assign(context, runtime)
