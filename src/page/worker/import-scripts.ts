/** `importScripts` of listed files: fetched, hashed and run at once, as a script may ask for at any time. */
import { digestPurely } from '../../crypto/pure.js'
import { decodeText, hex } from '../../crypto/bytes.js'
import { refusal } from '../../manifest/refusal.js'
import type { SignedImpError } from '../../errors.js'
import type { Boot } from '../context.js'
import { createBlob } from '../link.js'
import { notEnforceable } from '../refuse.js'
import type { Scripts } from './guard.js'
import { stripped } from './judge.js'

// As it is before `fetch` is guarded: files that must be fetched checked may be scripts, too, and are checked here.
const { open } = XMLHttpRequest.prototype

/** How a worker's own scripts are found. */
export type OwnScripts = Pick<Scripts, 'judge' | 'tell' | 'trust'>

/** Makes scripts be checked that a worker runs inside itself. */
export function guardImportScripts(context: Boot, scripts: OwnScripts): void {
  const { judge, tell, trust } = scripts
  const native = importScripts.bind(self)

  function run(reference: string): void {
    const found = judge(reference)
    if (found.kind === 'own') return native(reference)
    if (found.kind === 'accepted') return native(trust(found.href))
    if (found.kind === 'unlisted') throw refusal('UNLISTED', notListed, found.href)
    runBlob(read(context, found.path, found.href), native, trust)
  }

  globalThis.importScripts = new Proxy(importScripts, {
    apply(_, __, references: unknown[]) {
      for (const reference of references)
        try {
          run(`${reference}`)
        } catch (error) {
          if (`${(error as SignedImpError).code}`.startsWith('ERR_SIGNEDIMP_'))
            tell(error as SignedImpError)
          throw error
        }
    },
  })
}

const notListed = 'a worker imports it, and the manifest does not list it'

/** Runs a text. What a policy blocks throws no other error than what the network does, so an empty script goes first. */
export function runBlob(
  text: string,
  native: (...urls: string[]) => void,
  trust: (url: string) => string,
): void {
  const empty = createBlob('', '.js')
  const url = createBlob(text, '.js')
  try {
    try {
      native(trust(empty))
    } catch {
      throw notEnforceable('no blobs in workers; let script-src allow blob: or strict-dynamic')
    }
    native(trust(url))
  } finally {
    for (const one of [empty, url]) URL.revokeObjectURL(one)
  }
}

/** A listed file's text. @throws SignedImpError where it does not come as it is listed */
function read({ manifest, toUrl, credentials }: Boot, path: string, href: string): string {
  // What imports something by itself, and was not built here, says that it imports itself.
  if (manifest.imports.get(path)?.some((to) => to.path === path))
    throw notEnforceable('an import without a map', path)
  const request = new XMLHttpRequest()
  Reflect.apply(open, request, ['GET', href, false])
  request.responseType = 'arraybuffer'
  request.withCredentials = credentials === 'include'
  try {
    request.send()
  } catch {
    throw refusal('NETWORK', 'no answer', path)
  }
  const { status, responseURL } = request
  if (status !== 200)
    throw refusal(/^4(04|10)$/.test(`${status}`) ? 'MISSING' : 'NETWORK', `status ${status}`, path)
  const bytes = new Uint8Array(request.response as ArrayBuffer)
  if (stripped(responseURL) !== toUrl(path))
    throw refusal('CHANGED', `a redirect to ${responseURL}`, path)
  if (hex(digestPurely(manifest.hash, bytes)) !== manifest.files.get(path))
    throw refusal('CHANGED', 'other bytes than the signed ones', path)
  return `${decodeText(bytes).replace(/^\ufeff/, '')}\n//# sourceURL=${toUrl(path)}`
}
