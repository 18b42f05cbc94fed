/** The runtime of module entries where a late import map was proven: the browser checks and links. */
import { isModulePath } from '../manifest/path.js'
import type { Mapped, ModuleRuntime } from './context.js'
import { createImport, createMeta } from './import.js'
import { createMappedLoad, preload } from './mapped.js'
import { closureOf } from './prove.js'

const context = __signedimp as ModuleRuntime & Mapped
const { manifest, toUrl, salt } = context

/** A name that nobody can have used before the map came, and that needs no rule of it but the integrity. */
const keyOf = (path: string) => toUrl(path) + salt
const load = createMappedLoad(context, (path) => closureOf(manifest, path), keyOf)
const modules = new Map<string, string>()

const resolve = (url: string) => {
  if (modules.size < manifest.files.size)
    for (const path of manifest.files.keys())
      modules.set(toUrl(path), isModulePath(path) ? keyOf(path) : toUrl(path))
  return modules.get(url) ?? url
}

const runtime: Pick<ModuleRuntime, 'import' | 'meta' | 'main'> = {
  import: createImport(context, load),
  meta: createMeta(context, resolve),
  main: async (path, loaded) => {
    const downloads = [...closureOf(manifest, path)].map((file) => preload(keyOf(file)))
    void Promise.all(downloads).then(loaded)
    return load(path)
  },
}
Object.assign(context, runtime)
