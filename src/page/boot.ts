/** What a page runs first: checks the manifest, has the browser enforce it, starts the app. Page form of the bootstrap. */
import { utf8, type Bytes } from '../crypto/bytes.js'
import { webCrypto } from '../crypto/webcrypto.js'
import { SignedImpError } from '../errors.js'
import { verifyManifest } from '../manifest/verify.js'
import { pathToUrl } from '../manifest/path.js'
import { diagnose, type Root } from './diagnose.js'
import { download } from './download.js'
import { holdMilestones, parsed } from './events.js'
import { createRegistry } from './import.js'
import { enforceMap, integrityOf, notEnforceable, runModule } from './map.js'
import { refusal, showRefusal } from './refuse.js'

const maxManifestBytes = 1 << 23
const maxManifestLines = 1 << 16

// An element named "currentScript" hides the property of the document, not the getter of its prototype.
const carrier = Object.getOwnPropertyDescriptor(Document.prototype, 'currentScript')!.get!.call(
  document,
) as HTMLScriptElement
const { manifest: manifestUrl, name, build, entry } = carrier.dataset as Record<string, string>
const inlineManifest = carrier.previousElementSibling
const url = new URL(manifestUrl!, document.baseURI).href
const credentials = carrier.crossOrigin === 'use-credentials' ? 'include' : 'same-origin'

const release = holdMilestones()
start()
  .catch((error) =>
    showRefusal(error instanceof SignedImpError ? error : notEnforceable(String(error), error)),
  )
  .finally(release)

async function start(): Promise<void> {
  if (!crypto.subtle) throw notEnforceable('the page is not served over https')
  const { keys, threshold } = __SIGNEDIMP_TRUST__
  const trust = {
    keys,
    threshold,
    name: name!,
    build: build === undefined ? build : +build,
    maxLines: maxManifestLines,
  }
  const manifest = await verifyManifest(await readManifest(), trust, webCrypto)
  const base = new URL('.', url).href
  const latest = url.replace(/\.[0-9a-f]{16}(?=\.\w+$)/, '')
  const root: Root = { manifest, base, latest, keys, threshold, credentials }
  const map = await enforceMap(manifest, base, carrier)
  const registry = createRegistry(root, map)
  Object.defineProperty(self, '__signedimp', { value: registry })
  await parsed()
  await Promise.all(
    entry!
      .split(' ')
      .map((reference) =>
        startEntry(root, registry.prove, map.salt, decodeURIComponent(reference)),
      ),
  )
}

async function readManifest(): Promise<Bytes> {
  if (inlineManifest?.matches('[data-signedimp]')) return utf8(inlineManifest.textContent!)
  const { response, bytes } = await download(url, url, { credentials }, maxManifestBytes)
  if (response.status !== 200)
    throw refusal(response.status === 404 ? 'MISSING' : 'NETWORK', `status ${response.status}`, url)
  return bytes
}

async function startEntry(
  root: Root,
  prove: (path: string) => void,
  salt: string,
  path: string,
): Promise<void> {
  const { manifest, base } = root
  try {
    if (!manifest.files.has(path))
      throw refusal('UNLISTED', 'the page starts what the manifest does not list', path)
    prove(path)
    if (await runModule(pathToUrl(path, base) + salt, carrier, integrityOf(manifest, path))) return
    throw (
      (await diagnose(root, path)) ??
      refusal(
        'REFUSED',
        'the browser refused it, and a second fetch saw the signed bytes; reload the page',
        path,
      )
    )
  } catch (error) {
    showRefusal(error as SignedImpError)
  }
}
