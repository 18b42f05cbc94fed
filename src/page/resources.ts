/** The file that guards `fetch` in a page whose build has files that it must check: WebAssembly, and what `resources` names. */
import type { Boot } from './context.js'
import { guardListed } from './guard-listed.js'
import { createTell } from './tell.js'

const context = __signedimp as Boot
guardListed(context, {
  pattern: __SIGNEDIMP_GUARDED__,
  base: () => document.baseURI,
  tell: createTell(context),
})
