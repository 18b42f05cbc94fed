/** The file that guards `fetch` in a page whose build has files that it must check: WebAssembly, and what `resources` names. */
import { createCheckedFetch } from './checked-fetch.js'
import type { Boot } from './context.js'
import { installGuard } from './guard.js'
import { createLocate } from './locate.js'
import { createTell } from './tell.js'

const context = __signedimp as Boot
const locate = createLocate(context)
const tell = createTell(context)
const isGuarded = new RegExp(__SIGNEDIMP_GUARDED__, 'u')

installGuard(self, {
  base: () => document.baseURI,
  find: (href) => {
    const path = locate(href)
    return path !== undefined && isGuarded.test(path) ? path : undefined
  },
  fetch: createCheckedFetch(context, tell),
  tell,
})
