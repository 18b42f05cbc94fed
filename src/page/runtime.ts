/** The second file of ours in a page, itself listed and checked: starts the app, and is what its chunks import with. */
import type { Mapped, Runtime } from './context.js'
import { createImport, createMeta } from './import.js'
import { createMeanings, proveMeanings } from './meanings.js'
import { createMappedLoad } from './mapped.js'
import { createProve, proveDenied, proveNamed } from './prove.js'
import { start } from './start.js'
import { createLink } from './style.js'

const context = __signedimp as Mapped
const prove = createProve(context)
const meanings = createMeanings(context)
const load = createMappedLoad(context, prove, context.toUrl)

const runtime: Runtime = {
  import: createImport(context, load, undefined, meanings),
  meta: createMeta(context, context.resolve, meanings.mean),
  link: createLink(context),
  start: async (entry) => {
    proveDenied(context)
    proveMeanings(context)
    await proveNamed(context)
    // Tags run in order, downloads overlap.
    const paths = entry.split(' ').map(decodeURIComponent)
    await Promise.all(paths.map((path) => start(context, prove, path)))
  },
}
Object.freeze(Object.assign(context, runtime))
