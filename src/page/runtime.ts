/** The second file of ours in a page, itself listed and checked: starts the app, and is what its chunks import with. */
import type { Mapped, Runtime } from './context.js'
import { createImport, createMeta } from './import.js'
import { createMappedLoad } from './mapped.js'
import { createProve, proveDenied, proveNamed } from './prove.js'
import { mainsOf, start } from './start.js'

const context = __signedimp as Mapped & Runtime
const prove = createProve(context)

const runtime: Runtime = {
  enforcement: 'map',
  import: createImport(context, createMappedLoad(context, prove, context.toUrl)),
  meta: createMeta(context, context.resolve),
  start: async () => {
    const paths = mainsOf(context)
    proveDenied(context)
    paths.forEach(prove)
    await proveNamed(context)
    // Until then another runtime might take its place.
    Object.freeze(context)
    // Tags run in order, downloads overlap.
    await Promise.all(paths.map((path) => start(context, prove, path)))
  },
}
Object.assign(context, runtime)
