/** What a page runs first: checks the manifest and has the browser enforce it. Page form of the bootstrap. */
import { utf8, type Bytes } from '../crypto/bytes.js'
import { pathToUrl } from '../manifest/path.js'
import { verifyManifest } from '../manifest/verify.js'
import type { Mapped, Runtime } from './context.js'
import { download } from './download.js'
import { holdMilestones, parsed } from './events.js'
import { enforceMap } from './map.js'
import { notEnforceable, showRefusal } from './refuse.js'
import { verifier } from './verifier.js'
import { refusal } from '../manifest/refusal.js'

const maxManifestBytes = 1 << 23
const maxManifestLines = 1 << 16

// An element named "currentScript" hides the property of the document, not the getter of its prototype.
const carrier = Reflect.get(Document.prototype, 'currentScript', document) as HTMLScriptElement
const data = carrier.dataset as Record<string, string> & { credentials?: RequestCredentials }
const carried = carrier.previousElementSibling
const url = new URL(data.manifest!, document.baseURI).href

const release = holdMilestones()
start()
  .catch(async (error) => {
    // Scripts of the page that listen for refusals may stand behind this one.
    await parsed()
    // By its code, for the runtime has a class of its own: of other errors none has a text there that is not below "E".
    showRefusal(error.code > 'E' ? error : notEnforceable(`${error}`))
  })
  .finally(release)

async function start(): Promise<void> {
  if (!__PURE__ && !isSecureContext) throw notEnforceable('no https (pure: false)')
  const { name, build, runtime, entry } = data
  const pinned = __SIGNEDIMP_PINNED__
  const trust = {
    ...pinned,
    // Without a name nothing is accepted: a manifest's is never `undefined` by accident.
    name: `${name}`,
    build: (build && +build) as number | undefined,
    maxLines: maxManifestLines,
  }
  const stored = await readManifest()
  const manifest = await verifyManifest(stored, trust, verifier)
  const toUrl = (path: string) => pathToUrl(path, url)
  const enforced = await enforceMap(manifest, toUrl, carrier, data.map)
  const context: Mapped & Partial<Runtime> = {
    pinned,
    verifier,
    manifest,
    stored,
    url,
    credentials: data.credentials,
    toUrl,
    map: data.map,
    ...enforced,
  }
  Object.defineProperty(self, '__signedimp', { value: context })
  // The map checks tags of what is in it, and lets others load unchecked.
  if (!manifest.files.has(runtime!) || (await context.run(runtime!)) !== 'load')
    throw refusal('REFUSED', 'not as signed', runtime)
  await context.start!(entry!)
}

async function readManifest(): Promise<Bytes> {
  if (carried?.matches('[data-signedimp]')) return utf8(carried.textContent!)
  const { response, bytes } = await download(url, maxManifestBytes, {
    credentials: data.credentials!,
  })
  if (response.ok) return bytes
  const { status } = response
  throw refusal(status < 500 ? 'MISSING' : 'NETWORK', `status ${status}`, url)
}
