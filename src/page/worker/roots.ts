/** Blobs that start workers: from bytes that are here, or from what the worker then fetches itself. */
import { decodeText } from '../../crypto/bytes.js'
import { standInOf } from '../../manifest/linking.js'
import { refusal } from '../../manifest/refusal.js'
import type { Boot } from '../context.js'
import { createBlob, createLinker } from '../link.js'
import { fetchListed } from '../linked.js'
import type { WorkerPlan } from '../../manifest/worker-plan.js'
import type { Roots, WorkerBoot } from './boot.js'

/** Gives the URLs of blobs that start workers. */
export interface WorkerRoots {
  /** The URL of a blob that starts a script: of its bytes, where these are here, else of something that fetches them. */
  rootOf(path: string, type: keyof Roots): string
  /**
   * Fetches a worker's script, what it imports statically, and the workers that those name. What does not come as it is
   * listed is left to the worker, which says why.
   * @returns settles when that is over
   */
  prepare(path: string): Promise<void>
}

/** What all workers of a page, or of a worker, start with. */
export interface Shared {
  plan: WorkerPlan
  channel: string
  /** Workers that somebody else has prepared. */
  roots?: Record<string, Roots>
}

/** A worker's script with all that it imports statically. */
interface Linked {
  /** URLs to import, the script's own last. */
  urls: string[]
  blobs: Record<string, string>
  /** The script's text, for a worker that is no module. */
  text: string
}

export function createRoots(context: Boot, { plan, channel, roots = {} }: Shared): WorkerRoots {
  const guarded = new RegExp(plan.guarded, 'u')
  const texts = new Map<string, string>()
  const linker = createLinker(context, async (path) => {
    const found = await fetchListed(context, path, { priority: 'low' })
    if (!found) throw refusal('REFUSED', 'not as signed', path)
    const text = decodeText(found.bytes).replace(/^\ufeff/, '')
    texts.set(path, text)
    return text
  })
  const ready = new Map(Object.entries(roots))
  const stubs = new Map<string, Required<Roots>>()
  const preparing = new Map<string, Promise<void>>()

  const bootFor = (path: string): Omit<WorkerBoot, 'isModule'> => {
    const { hash, name, build, files, imports } = context.manifest
    const { url, pinned, credentials } = context
    const reach = plan.reach[path]
    const wanted = reach && new Set(reach.flatMap((file) => [file, standInOf(file)]))
    // What `fetch` guards is known to each, for an unknown file would come unchecked.
    const isWanted = ([file]: [string, unknown]) =>
      !wanted || wanted.has(file) || guarded.test(file)
    return {
      plan,
      path,
      url,
      name,
      build,
      hash,
      files: [...files].filter(isWanted),
      imports: [...imports].filter(isWanted),
      pinned,
      credentials,
      channel,
    }
  }

  const namedBy = (paths: Iterable<string>) => [
    ...new Set([...paths].flatMap((path) => plan.named[path] ?? [])),
  ]

  async function linkAll(path: string): Promise<Linked> {
    const urls = await linker.link(path)
    const closure = linker.closure(path)
    return { urls, blobs: Object.fromEntries(closure), text: texts.get(path)! }
  }

  /** @param open workers that are being prepared, each named by the one before */
  async function prepareOne(path: string, open: readonly string[]): Promise<void> {
    const linked = await linkAll(path)
    const nested = namedBy(Object.keys(linked.blobs)).filter(
      (one) => ![...open, path].includes(one),
    )
    await Promise.all(nested.map((one) => prepareOnce(one, [...open, path])))
    const own = nested.flatMap((one) => (ready.has(one) ? [[one, ready.get(one)!] as const] : []))
    const boot = { ...bootFor(path), blobs: linked.blobs, roots: Object.fromEntries(own) }
    ready.set(path, createReady(boot, linked, context.toUrl(path)))
  }

  function prepareOnce(path: string, open: readonly string[] = []): Promise<void> {
    const known = ready.has(path) ? Promise.resolve() : preparing.get(path)
    if (known) return known
    const prepared = prepareOne(path, open)
      .catch(() => {})
      .finally(() => preparing.delete(path))
    preparing.set(path, prepared)
    return prepared
  }

  return {
    rootOf(path, type) {
      const root = ready.get(path)?.[type]
      if (root !== undefined) return root
      const own = stubs.get(path) ?? createStubs(bootFor(path))
      stubs.set(path, own)
      return own[type]
    },
    prepare: (path) => prepareOnce(path),
  }
}

/** The text of this very file, applied to what a worker is to know. */
const start = (boot: WorkerBoot): string => `(${$signedimp})(${JSON.stringify(boot)})`

const createStubs = (boot: Omit<WorkerBoot, 'isModule'>): Required<Roots> => ({
  module: createBlob(start({ ...boot, isModule: true }), '.js'),
  classic: createBlob(start({ ...boot, isModule: false }), '.js'),
})

/** What is imported first is evaluated first. */
function createReady(
  boot: Omit<WorkerBoot, 'isModule'>,
  { urls, text }: Linked,
  source: string,
): Roots {
  const first = createBlob(start({ ...boot, isModule: true }), '.js')
  const declarations = [first, ...urls].map((url) => `import"${url}"`)
  // One text, for a policy may allow workers from blobs, but nothing that they import.
  const script = `${directive(text)}${start({ ...boot, isModule: false })};${text}\n//# sourceURL=${source}`
  return {
    module: createBlob(declarations.join(';'), '.js'),
    classic: createBlob(script, '.js'),
  }
}

/** A script is strict by what stands first in it. */
const directive = (text: string): string =>
  /^(?:\s|\/\/[^\n]*|\/\*[^]*?\*\/)*(["'])use strict\1/.test(text) ? '"use strict";' : ''
