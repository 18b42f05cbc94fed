/** What code of a signed app, or of a root of a manager, asks for files with that only count as they are signed. */
import { SignedImpError } from '../errors.js'
import { createCheckedFetch, type CheckedFetch } from './checked-fetch.js'
import type { Boot } from './context.js'
import { createLocate } from './locate.js'
import { announce, notEnforceable } from './refuse.js'
import { createTell, type Tell } from './tell.js'
import { typeOf } from './types.js'
import { toChecked } from './whole.js'

interface Client {
  locate: ReturnType<typeof createLocate>
  tell: Tell
  fetch: CheckedFetch
}

const clients = new WeakMap<Boot, Client>()

/**
 * Fetches a file that the app's own manifest lists, or not at all: as `fetch`, but that the browser compares the whole body
 * with the signed hash before it gives any of it, and that only status 200 counts.
 * @param input where relative, from the document's base URL, as for `fetch`
 * @throws SignedImpError, also where no signed build has started; TypeError on what can bring no whole file: a method
 *   other than `GET`, or a `Range`; what `init.signal` was aborted with
 *
 * @example
 * const labels = await (await signedFetch('/labels.json')).json()
 */
export async function signedFetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  return (await get(input, init)).response
}

/**
 * Fetches a listed file as {@link signedFetch} does, and gives the URL of a blob of it, for what takes nothing but a URL: an
 * image, a font, a video. Its type goes by the file's extension, for the server's word is not signed.
 * @returns a `blob:` URL, which keeps the file in memory until `URL.revokeObjectURL` is called with it, or the page is left
 * @throws as {@link signedFetch} does
 *
 * @example
 * image.src = await signedURL('/logo.png')
 * image.onload = () => URL.revokeObjectURL(image.src)
 */
export async function signedURL(input: string | URL): Promise<string> {
  const { response, path } = await get(input)
  return URL.createObjectURL(new Blob([await response.arrayBuffer()], { type: typeOf(path) }))
}

async function get(
  input: RequestInfo | URL,
  init?: RequestInit,
): Promise<{ response: Response; path: string }> {
  const request = toChecked(input, init)
  const { locate, tell, fetch } = findClient()
  const path = locate(request.url)
  if (path !== undefined) return { response: await fetch(request, path), path }
  const refused = new SignedImpError('ERR_SIGNEDIMP_UNLISTED', 'the manifest does not list it', {
    path: request.url,
  })
  tell(refused)
  throw refused
}

/** What the bootstrap left, as every chunk of a signed app finds it; in a module of a root, the root's own. */
function findClient(): Client {
  if (typeof __signedimp === 'undefined') {
    const refused = notEnforceable('no signed build has started here')
    announce(refused)
    throw refused
  }
  const context = __signedimp as Boot
  const client = clients.get(context) ?? createClient(context)
  clients.set(context, client)
  return client
}

function createClient(context: Boot): Client {
  const tell = createTell(context)
  return { locate: createLocate(context), tell, fetch: createCheckedFetch(context, tell) }
}
