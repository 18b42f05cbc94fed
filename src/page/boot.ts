/** What a page runs first: checks the manifest and has the browser enforce it. Page form of the bootstrap. */
import { utf8, type Bytes } from '../crypto/bytes.js'
import { webCrypto } from '../crypto/webcrypto.js'
import type { SignedImpError } from '../errors.js'
import { pathToUrl } from '../manifest/path.js'
import { verifyManifest } from '../manifest/verify.js'
import type { EnforcedMap, PageBoot, PageData, Runtime } from './context.js'
import { holdMilestones, parsed } from './events.js'
import { runFromBlob } from './from-blob.js'
import { integrityOf } from './integrity.js'
import { fetchWhole } from './manifest.js'
import { enforceMap, runModule } from './map.js'
import { notEnforceable, showRefusal } from './refuse.js'
import { refusal } from '../manifest/refusal.js'

const maxManifestBytes = 1 << 23
const maxManifestLines = 1 << 16

// An element named "currentScript" hides the property of the document, not the getter of its prototype.
const carrier = Reflect.get(Document.prototype, 'currentScript', document) as HTMLScriptElement
const data = carrier.dataset as PageData
const carried = carrier.previousElementSibling
const url = new URL(data.manifest!, document.baseURI).href

const release = holdMilestones()
start()
  .catch(async (error) => {
    // Scripts of the page that listen for refusals may stand behind this one.
    await parsed()
    showRefusal(isRefusal(error) ? error : notEnforceable(`${error}`))
  })
  .finally(release)

async function start(): Promise<void> {
  if (!isSecureContext) throw notEnforceable('no https')
  const { name, build, runtime, blob, tags, entry } = data
  const pinned = __SIGNEDIMP_PINNED__
  const trust = {
    ...pinned,
    // Without a name nothing is accepted: a manifest's is never `undefined` by accident.
    name: `${name}`,
    build: (build && +build) as number | undefined,
    maxLines: maxManifestLines,
  }
  const stored = await readManifest()
  const manifest = await verifyManifest(stored, trust, webCrypto)
  const toUrl = (path: string) => pathToUrl(path, url)
  const context: PageBoot & Partial<EnforcedMap & Runtime> = {
    pinned,
    manifest,
    stored,
    url,
    credentials: data.credentials,
    toUrl,
    byTag: (url, integrity) => runModule(url, carrier, integrity),
    data,
  }
  Object.defineProperty(self, '__signedimp', { value: context })
  try {
    Object.assign(context, await enforceMap(manifest, toUrl, carrier, data.key))
    // The map checks tags of what is in it, and lets others load unchecked.
    if (!manifest.files.has(runtime!) || (await context.run!(runtime!)) !== 'load')
      throw refusal('REFUSED', 'not as signed', runtime)
    await context.start!(entry!)
  } catch (error) {
    if (isRefusal(error) && !/_NOT_E/.test(error.code)) throw error
    await runFromBlob(context, blob!).catch(async (refused) => {
      if (!tags) throw refused
      const url = toUrl(tags) + '#' + crypto.randomUUID()
      if ((await context.byTag(url, integrityOf(manifest, tags))) !== 'load')
        throw notEnforceable('no maps, no blobs, no tags')
    })
    await context.start!(entry!)
  }
}

/** By its code, for the runtime has a class of its own: of other errors none has a text there that is not below "E". */
function isRefusal(error: any): error is SignedImpError {
  return error.code > 'E'
}

async function readManifest(): Promise<Bytes> {
  return carried?.matches('[data-signedimp]')
    ? utf8(carried.textContent!)
    : fetchWhole(url, maxManifestBytes, { credentials: data.credentials! })
}
