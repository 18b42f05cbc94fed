/** The runtime where neither an import map nor a blob can be: the browser checks what its tag says of each module. */
import { integrityOf } from '../manifest/import-map.js'
import { proveConfined } from './confine.js'
import type { PageBoot, Runtime, WithWorkers, Workers } from './context.js'
import { diagnose } from './diagnose.js'
import { parsed } from './events.js'
import { createGuarding } from './guarding.js'
import { createImport, createMeta, createPathOf } from './import.js'
import { claim } from './linked.js'
import { refusedOnce } from './load-failure.js'
import { importNatively } from './native-import.js'
import { listedClosure, proveNamed } from './prove.js'
import { notEnforceable, showRefusal } from './refuse.js'
import { mainsOf } from './start.js'
import { createLink } from './style.js'
import { createTell } from './tell.js'

const context = __signedimp as PageBoot & Runtime
const workers: Workers = {}
const { manifest, toUrl, byTag, key, whole } = context
const pathOf = createPathOf(context)
const tell = createTell(context)
const loading = new Map<string, Promise<void>>()

/**
 * The URL by which modules import one another. Of what is loaded already, a tag checks nothing. Nothing in the page, and no
 * `Link` header for a chunk, asks for this URL.
 */
const keyOf = (path: string) => toUrl(path) + key

/** Each module once, and behind what it imports: what came before a tag in another way, the tag would not check. */
function load(path: string): Promise<void> {
  const known = loading.get(path) ?? loadBehindImports(path)
  loading.set(path, known)
  known.catch(() => loading.delete(path))
  return known
}

async function loadBehindImports(path: string): Promise<void> {
  for (const to of manifest.imports.get(path) ?? []) {
    // What only a page's import map gives a meaning says that the module imports itself.
    if (to.path === path) throw notEnforceable('an import without a map', path)
    await load(to.path)
  }
  const url = keyOf(path)
  if (import.meta.resolve?.(url) !== url) throw notEnforceable('an import map', path)
  if ((await byTag(url, integrityOf(manifest, path))) === 'load') return
  throw (await diagnose(context, [path])) ?? refusedOnce(path, 'try again')
}

const guard = createGuarding(context, load)

const runtime: Runtime & Pick<WithWorkers, 'workers'> = {
  enforcement: 'tags',
  workers,
  import: createImport(
    context,
    async (path, options) => {
      // A tag runs nothing else.
      if (!/\.m?js$/.test(path)) throw notEnforceable('no maps, no blobs', path)
      listedClosure(manifest, path)
      await workers.prepareFor?.(path)
      await load(path)
      return importNatively(keyOf(path), options)
    },
    tell,
  ),
  meta: createMeta(context, (url) => {
    const path = pathOf(url)
    // Where Vite's helper finds a link, it makes none that would load the module.
    if (path !== undefined && /\.m?js$/.test(path)) claim(url)
    return url
  }),
  link: createLink(context, tell),
  start: async () => {
    await proveNamed(context)
    if (document.querySelector('[type=importmap i]')) throw notEnforceable('an import map')
    // Firefox loads what a preloaded module imports, too, and that may be spelled like what a tag is to check.
    if (document.querySelector('[rel~=modulepreload i]')) throw notEnforceable('a modulepreload')
    if (whole === undefined) await proveConfined(byTag)
    const mains = mainsOf(context)
    for (const path of mains) listedClosure(manifest, path)
    await guard()
    Object.freeze(context)
    for (const path of mains) await workers.prepareFor?.(path)
    await parsed()
    for (const path of mains) await load(path).catch((refused) => showRefusal(refused, tell))
  },
}
Object.assign(context, runtime)
