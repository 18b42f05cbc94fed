/** What a page runs first: checks the manifest and has the browser enforce it. Page form of the bootstrap. */
import { utf8, type Bytes } from '../crypto/bytes.js'
import { webCrypto } from '../crypto/webcrypto.js'
import { SignedImpError } from '../errors.js'
import { pathToUrl } from '../manifest/path.js'
import { verifyManifest } from '../manifest/verify.js'
import type { Boot, Runtime } from './context.js'
import { download } from './download.js'
import { holdMilestones } from './events.js'
import { enforceMap } from './map.js'
import { notEnforceable, showRefusal } from './refuse.js'

const maxManifestBytes = 1 << 23
const maxManifestLines = 1 << 16

// An element named "currentScript" hides the property of the document, not the getter of its prototype.
const carrier = Reflect.get(Document.prototype, 'currentScript', document) as HTMLScriptElement
const data = carrier.dataset as Record<string, string> & { credentials?: RequestCredentials }
const carried = carrier.previousElementSibling
const url = new URL(data.manifest!, document.baseURI).href

const release = holdMilestones()
start()
  .catch((error) => showRefusal(error.code ? error : notEnforceable(`${error}`)))
  .finally(release)

async function start(): Promise<void> {
  if (!isSecureContext) throw notEnforceable('no https')
  const { name, build, runtime, entry } = data
  const pinned = __SIGNEDIMP_PINNED__
  const trust = {
    ...pinned,
    // Without a name nothing is accepted: a manifest's is never `undefined` by accident.
    name: `${name}`,
    build: build ? +build : undefined,
    maxLines: maxManifestLines,
  }
  const manifest = await verifyManifest(await readManifest(), trust, webCrypto)
  const toUrl = (path: string) => pathToUrl(path, url)
  const enforced = await enforceMap(manifest, toUrl, carrier)
  const context: Boot & Partial<Runtime> = {
    pinned,
    manifest,
    url,
    credentials: data.credentials,
    toUrl,
    ...enforced,
  }
  Object.defineProperty(self, '__signedimp', { value: context })
  if ((await context.run(runtime!)) !== 'load')
    throw new SignedImpError('ERR_SIGNEDIMP_REFUSED', 'not as signed', {
      path: runtime,
    })
  await context.start!(entry!)
}

async function readManifest(): Promise<Bytes> {
  if (carried?.matches('[data-signedimp]')) return utf8(carried.textContent!)
  const { response, bytes } = await download(url, maxManifestBytes, {
    credentials: data.credentials!,
  })
  if (response.ok) return bytes
  const { status } = response
  throw new SignedImpError(
    `ERR_SIGNEDIMP_${status < 500 ? 'MISSING' : 'NETWORK'}`,
    `status ${status}`,
    { path: url },
  )
}
