/** The second file of ours in a page, itself listed and checked: starts the app, and is what its chunks import with. */
import { refusal } from '../manifest/refusal.js'
import { createClaims } from './claims.js'
import type { Adopting, Linkable, Mapped, Runtime, WithWorkers, Workers } from './context.js'
import { createGuarding } from './guarding.js'
import { createImport, createMeta } from './import.js'
import { createMeanings, proveMeanings } from './meanings.js'
import { createMappedLoad } from './mapped.js'
import { createProve, proveDenied, proveNamed } from './prove.js'
import { createRelinker } from './relinker.js'
import { mainsOf, start } from './start.js'
import { createLink } from './style.js'
import { createTell } from './tell.js'

const context = __signedimp as Mapped & Linkable & WithWorkers
const workers: Workers = {}
const prove = createProve(context)
const claims = createClaims()
const known = { prove, claims, keyOf: context.toUrl }
const { load, adopt } = createRelinker(context, known)
const tell = createTell(context)
const meanings = createMeanings(context)
const loadMapped = createMappedLoad(context, known, load)

const guard = createGuarding(context, async (path) => {
  if ((await context.byTag(context.toUrl(path) + context.salt)) !== 'load')
    throw refusal('REFUSED', 'not as signed', path)
})

const runtime: Runtime & Adopting & Pick<WithWorkers, 'workers'> = {
  enforcement: 'map',
  workers,
  import: createImport(
    context,
    async (path, options) => {
      await workers.prepareFor?.(path)
      return loadMapped(path, options)
    },
    tell,
    meanings,
  ),
  meta: createMeta(context, context.resolve, meanings.mean),
  link: createLink(context, tell),
  adopt,
  start: async () => {
    const paths = mainsOf(context)
    proveDenied(context)
    proveMeanings(context)
    paths.forEach(prove)
    await proveNamed(context)
    await guard()
    // Until then another runtime might take its place.
    Object.freeze(context)
    for (const path of paths) await workers.prepareFor?.(path)
    // Tags run in order, downloads overlap.
    await Promise.all(paths.map((path) => start(context, known, tell, path)))
  },
}
Object.assign(context, runtime)
