/** What a page runs first: checks the manifest and has the browser enforce it. Page form of the bootstrap. */
import { utf8, type Bytes } from '../crypto/bytes.js'
import type { SignedImpError } from '../errors.js'
import { fixedName, integrityOf } from '../manifest/import-map.js'
import { below, pathToUrl } from '../manifest/path.js'
import { refusal } from '../manifest/refusal.js'
import { verifyManifest } from '../manifest/verify.js'
import type { EnforcedMap, PageBoot, PageData, Runtime } from './context.js'
import { nativeFetch } from './download.js'
import { holdMilestones, parsed } from './events.js'
import { runFromBlob } from './from-blob.js'
import { fetchWhole, maxManifestLines } from './manifest.js'
import { enforceMap, runModule, trusted } from './map.js'
import { rememberBuild } from './memory.js'
import { proveNamed } from './prove.js'
import { newName } from './random-name.js'
import { notEnforceable, showRefusal } from './refuse.js'
import { sendReport } from './report.js'
import { verifier } from './verifier.js'

// An element named "currentScript" hides the property of the document, not the getter of its prototype.
const carrier = Reflect.get(Document.prototype, 'currentScript', document) as HTMLScriptElement
const data = carrier.dataset as PageData
const carried = carrier.previousElementSibling
const url = new URL(data.manifest!, document.baseURI).href

const release = holdMilestones()
// Whoever is here to say what is wrong needs nobody to stand in.
parsed().then(() => document.querySelector('#signedimp')?.remove())

async function start(): Promise<void> {
  if (!__PURE__ && !isSecureContext) throw notEnforceable('no https (pure: false)')
  const { name, build, runtime, blob, tags, key, folder } = data
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
  const context: PageBoot & Partial<EnforcedMap & Runtime> = {
    ...(data as PageData & Pick<PageBoot, 'credentials'>),
    pinned,
    verifier,
    manifest,
    stored,
    url,
    toUrl,
    fetch: nativeFetch,
    byTag: (url, integrity) => runModule(url, carrier, integrity),
    trusted,
  }
  if (__REMEMBER__) {
    // Another one that is signed for this app, of a release that is not out, say, is not to count as seen.
    await proveNamed(context)
    rememberBuild(context, pinned.remember!)
  }
  Object.defineProperty(self, '__signedimp', { value: context })
  const unknown = newName()
  // Of what is loaded already a tag checks nothing: no module can have imported this one by a name that nobody knows.
  const run = async (path: string) => {
    // Without integrity, what is not listed would load unchecked.
    const isRun =
      manifest.files.has(path) &&
      (await context.byTag(toUrl(path) + '#' + unknown, integrityOf(manifest, path))) === 'load'
    if (!isRun) throw refusal('REFUSED', 'not as signed', path)
  }
  try {
    Object.assign(
      context,
      await enforceMap(
        manifest,
        folder ? (path) => below(folder, path) : toUrl,
        carrier,
        folder ? fixedName : unknown,
        key,
        data.map,
      ),
    )
    await run(runtime!)
    await context.start!()
  } catch (error) {
    // That a file is changed is no doubt whether the browser checks.
    if (/REFUSED/.test((error as SignedImpError).code)) throw error
    await runFromBlob(context, blob!).catch((refused) =>
      run(tags!).catch(() => {
        throw refused
      }),
    )
    await context.start!()
  }
}

const readManifest = async (): Promise<Bytes> =>
  carried?.matches('[data-signedimp]')
    ? utf8(carried.textContent!)
    : fetchWhole(url, { credentials: data.credentials! })

start()
  .catch(async (error) => {
    // Scripts of the page that listen for refusals may stand behind this one.
    await parsed()
    // By its code, for the runtime has a class of its own: of other errors none has a text there that is not below "E".
    const refused = error.code > 'E' ? error : notEnforceable(`${error}`)
    showRefusal(refused)
    sendReport(data, refused)
  })
  .finally(release)
