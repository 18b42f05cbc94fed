/** The runtime of module entries where no import map can be: what runs was fetched once, hashed, and linked in memory. */
import { decodeText } from '../crypto/bytes.js'
import { refusal } from '../manifest/refusal.js'
import type { ModuleRuntime } from './context.js'
import { diagnose } from './diagnose.js'
import { download } from './download.js'
import { createImport, createMeta, createPathOf } from './import.js'
import { createLinker } from './link.js'
import { isListed } from './prove.js'

const maxFileBytes = 1 << 26
/** All of an app may be asked for at once, on a slow line: in milliseconds. */
const deadline = 300_000

const context = __signedimp as ModuleRuntime
const { manifest, toUrl } = context
const { link, prefetch } = createLinker(context, read)
const pathOf = createPathOf(context)

/** The text of a listed file whose bytes hash to what is listed, without a byte order mark. */
async function read(path: string): Promise<string> {
  const bytes = await fetchListed(path).catch(() => undefined)
  if (bytes) return decodeText(bytes).replace(/^\ufeff/, '')
  throw (
    (await diagnose(context, [path])) ??
    refusal('REFUSED', 'a second fetch saw the signed bytes; try again', path)
  )
}

async function fetchListed(path: string) {
  const { response, bytes } = await download(toUrl(path), maxFileBytes, {
    redirect: 'error',
    signal: AbortSignal.timeout(deadline),
  })
  return response.status === 200 && (await isListed(manifest, path, bytes)) ? bytes : undefined
}

async function evaluate(urls: string[], options?: ImportCallOptions): Promise<unknown> {
  let module: unknown
  for (const url of urls) {
    if (context.byTag && !options) await context.byTag(url)
    module = await (options ? import(url, options) : import(url))
  }
  return module
}

/**
 * Vite's helper asks what a module that it is about to import needs, and tells the browser to fetch it unless a link for
 * it is there. The browser would fetch for itself: so there is a link, that says nothing, and the module is fetched here.
 */
function resolve(url: string): string {
  const path = pathOf(url)
  if (path === undefined || !/\.m?js$/.test(path)) return url
  prefetch(path)
  if (!document.querySelector(`link[href="${url}"]`)) {
    const link = document.createElement('link')
    link.href = url
    document.head.append(link)
  }
  return url
}

const runtime: Pick<ModuleRuntime, 'import' | 'meta' | 'main'> = {
  import: createImport(context, async (path, options) => evaluate(await link(path), options)),
  meta: createMeta(context, resolve),
  main: async (path, loaded) => {
    const urls = await link(path)
    loaded()
    return evaluate(urls)
  },
}
Object.assign(context, runtime)
