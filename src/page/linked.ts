/** Modules that were fetched once, hashed, and linked in memory: for entries without an import map, and for roots of a manager. */
import { decodeText } from '../crypto/bytes.js'
import { refusal } from '../manifest/refusal.js'
import type { Boot, Linkable } from './context.js'
import { diagnose } from './diagnose.js'
import { download, maxFileBytes, type Download } from './download.js'
import { createPathOf } from './import.js'
import { createBlob, createLinker, type Linker } from './link.js'
import { isListed } from './integrity.js'
import type { NativeImport } from './native-import.js'

/** All of an app may be asked for at once, on a slow line: in milliseconds. */
export const deadline = 300_000

/** What links the modules of an app in memory, and runs them. */
export interface Linked extends Pick<Linker, 'link'> {
  /** Runs linked modules in order. @returns the namespace of the last one */
  evaluate(urls: string[], options?: ImportCallOptions): Promise<unknown>
  /** What a module's absolute URL becomes in `import.meta.resolve`. */
  resolve(url: string): string
}

/** A listed file as it came, or undefined when it is not as listed. */
export async function fetchListed(
  context: Boot,
  path: string,
  init: RequestInit = {},
): Promise<Download | undefined> {
  const signal = AbortSignal.timeout(deadline)
  const credentials = context.credentials!
  const own = { signal, credentials, ...init, redirect: 'error' } as const
  const found = await download(context.toUrl(path), maxFileBytes, own)
  const isRight = found.response.status === 200 && (await isListed(context, path, found.bytes))
  return isRight ? found : undefined
}

/** Why a listed file did not come as listed. What type a server gives it does not matter here. */
export async function explain(context: Boot, path: string): Promise<Error> {
  const found = await diagnose(context, [path])
  return found && found.code !== 'ERR_SIGNEDIMP_REFUSED'
    ? found
    : refusal('REFUSED', 'a second fetch saw the signed bytes; try again', path)
}

/** A listed file's text, without a byte order mark. @throws SignedImpError that says why it did not come as listed */
export async function fetchText(
  context: Boot,
  path: string,
  edit: NonNullable<Special['edit']> = (text) => text,
): Promise<string> {
  const found = await fetchListed(context, path).catch(() => undefined)
  if (!found) throw await explain(context, path)
  return edit(decodeText(found.bytes), path).replace(/^\ufeff/, '')
}

/** What is special about modules. */
export interface Special {
  /** What becomes of a module's text, byte order mark included; nothing may move in it. */
  edit?: (text: string, path: string) => string
  /** The URL of a module that is there already, and is not linked. */
  native?: (path: string) => string | undefined
}

/**
 * Makes what links and runs modules in memory.
 * @param load the engine's own `import()`
 */
export function createLinked(
  context: Linkable,
  load: NativeImport,
  { edit, native }: Special = {},
): Linked {
  const { link, prefetch } = createLinker(context, (path) => fetchText(context, path, edit), native)
  const pathOf = createPathOf(context)
  // Where a policy goes by nonces, a tag may do what `import()` may not.
  let allowed: Promise<boolean> | undefined
  const isAllowed = () =>
    (allowed ??= load(createBlob('', '.js')).then(
      () => true,
      () => false,
    ))

  return {
    link,
    async evaluate(urls, options) {
      let module: unknown
      for (const url of urls) {
        if (!options && !(await isAllowed())) await context.byTag(url)
        module = await load(url, options)
      }
      return module
    },
    /**
     * Vite's helper asks what a module that it is about to import needs, and tells the browser to fetch it unless a link
     * for it is there. The browser would fetch for itself: so there is a link, that says nothing, and the module is
     * fetched here.
     */
    resolve(url) {
      const path = pathOf(url)
      if (path === undefined || !/\.m?js$/.test(path)) return url
      prefetch(path)
      claim(url)
      return url
    },
  }
}

/** Puts a link there that says nothing, unless there is one. */
export function claim(url: string): void {
  if (document.querySelector(`link[href="${url}"]`)) return
  const link = document.createElement('link')
  link.href = url
  document.head.append(link)
}
