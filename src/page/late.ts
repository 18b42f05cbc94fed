/** The runtime of module entries where a late import map was proven: the browser checks and links. */
import { isModulePath } from '../manifest/path.js'
import { refusal } from '../manifest/refusal.js'
import { createClaims } from './claims.js'
import type { Adopting, Mapped, ModuleRuntime, Registry, Workers } from './context.js'
import { createGuarding } from './guarding.js'
import { createImport, createMeta, createPathOf } from './import.js'
import { createMappedLoad, preload } from './mapped.js'
import { listedClosure } from './prove.js'
import { createRelinker } from './relinker.js'
import { createLink } from './style.js'
import { createTell } from './tell.js'

const context = __signedimp as ModuleRuntime & Mapped
const { manifest, toUrl, salt } = context

/** A name that nobody can have used before the map came, and that needs no rule of it but the integrity. */
const keyOf = (path: string) => toUrl(path) + salt
const prove = (path: string) => listedClosure(manifest, path)
const known = { prove, claims: createClaims(), keyOf }
const { load: relink, adopt } = createRelinker(context, known)
const load = createMappedLoad(context, known, relink)
const pathOf = createPathOf(context)

const resolve = (url: string) => {
  const path = pathOf(url)
  return path !== undefined && isModulePath(path) ? keyOf(path) : url
}

const tell = createTell(context)
const workers: Workers = {}
const guard = createGuarding(context, async (path) => {
  if ((await context.byTag(keyOf(path))) !== 'load') throw refusal('REFUSED', 'not as signed', path)
})

const runtime: Pick<ModuleRuntime, keyof Registry | 'main' | 'workers'> & Adopting = {
  workers,
  adopt,
  import: createImport(context, load, tell),
  meta: createMeta(context, resolve),
  link: createLink(context, tell),
  main: async (path, loaded) => {
    await guard()
    const downloads = [...listedClosure(manifest, path)].map((file) => preload(keyOf(file)))
    void Promise.all(downloads).then(loaded)
    return load(path)
  },
}
Object.assign(context, runtime)
