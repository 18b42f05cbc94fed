import { SignedImpError } from '../errors.js'
import { integrityOf } from '../manifest/import-map.js'
import { refusal } from '../manifest/refusal.js'
import type { Boot, Registry } from './context.js'
import { diagnose } from './diagnose.js'
import { createLocate } from './locate.js'
import { announce } from './refuse.js'

/** Integrity metadata that nothing has: a hash of the right length, for browsers ignore others. */
const none = `sha256-${'A'.repeat(43)}=`

/**
 * Makes what puts a link into the page for a chunk: a stylesheet's with the integrity that the manifest lists, because
 * browsers check by what an element says when it is inserted. Never throws, for the caller is in the middle of an
 * `import()` of the app; what is refused is a link that fails to load.
 * @param tell told of each refusal
 */
export function createLink(
  context: Boot,
  tell: (refused: SignedImpError) => unknown = announce,
): Registry['link'] {
  const { manifest, credentials } = context
  const locate = createLocate(context)

  const explain = async (href: string, path: string | undefined) => {
    if (path === undefined)
      return refusal('UNLISTED', 'a chunk links it, and the manifest does not list it', href)
    const found = await diagnose(context, [path])
    return found ?? refusal('REFUSED', 'a second fetch saw the signed bytes; try again', path)
  }

  return (link) => {
    if (link.rel === 'stylesheet') {
      const { href } = link
      const path = locate(href)
      link.integrity = path === undefined ? none : integrityOf(manifest, path)
      // Without CORS a browser may not compare what comes from another origin.
      link.crossOrigin = credentials === 'include' ? 'use-credentials' : (link.crossOrigin ?? '')
      link.addEventListener('error', async () => tell(await explain(href, path)))
    }
    return document.head.appendChild(link)
  }
}
