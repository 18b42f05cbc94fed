import { refusal } from '../manifest/refusal.js'
import type { Linkable } from './context.js'
import { isListed } from './integrity.js'
import { fetchWhole } from './manifest.js'
import { notEnforceable } from './refuse.js'

/**
 * Runs the listed runtime that links in memory: from a blob of the bytes that were hashed, by a tag, which where a policy
 * goes by nonces may do what `import()` may not.
 * @throws SignedImpError `ERR_SIGNEDIMP_NOT_ENFORCEABLE` where the page runs no blobs
 */
export async function runFromBlob(context: Linkable, path: string): Promise<void> {
  const { toUrl, credentials, byTag } = context
  const init = { credentials: credentials!, redirect: 'error' } as const
  const bytes = await fetchWhole(toUrl(path), init)
  if (!(await isListed(context, path, bytes))) throw refusal('REFUSED', 'not as signed', path)
  const url = URL.createObjectURL(new Blob([bytes], { type: 'text/javascript' }))
  if ((await byTag(url)) !== 'load') throw notEnforceable('no maps, no blobs')
}
