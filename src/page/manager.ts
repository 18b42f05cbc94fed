import { copyBytes } from '../crypto/bytes.js'
import { SignedImpError } from '../errors.js'
import { refusal } from '../manifest/refusal.js'
import { readKey, type PublicKey } from '../crypto/given.js'
import {
  resolveManager,
  resolveRoot,
  type Defaults,
  type ImportManager,
  type ManagerOptions,
  type Required,
  type RootOptions,
} from '../manifest/manager-options.js'
import { overlap, toBase, toUrl } from './place.js'
import { isListed } from './integrity.js'
import { announce, notEnforceable } from './refuse.js'
import { openRoot, refuseRemoved, type Root } from './root.js'
import { createSend } from './tell.js'
import { toChecked } from './whole.js'

/** What all code of the page finds of the installed manager, as `__signedimpManager`: it can trust nobody more by it. */
export type InstalledManager = Readonly<Pick<SignedImportManager, 'import' | 'fetch' | 'verify'>>

interface Place {
  base: string
  /** What it was asked to be. */
  required: Required
  removal: AbortController
  root: Promise<Root>
}

const globalName = '__signedimpManager'

/**
 * Loads what others signed: folders ("roots") from any place, each checked by its own manifest, keys and name. Nothing
 * of a root is evaluated, or handed out, unless its manifest lists exactly these bytes.
 *
 * @example
 * const manager = new SignedImportManager({ keys: [pem] }).install()
 * await manager.addRoot('https://apps.example/cart/', { name: 'cart' })
 * const { mount } = await manager.import('https://apps.example/cart/main.js')
 */
export class SignedImportManager implements ImportManager {
  readonly #defaults: Defaults
  readonly #onRefusal: ManagerOptions['onRefusal']
  readonly #reportTo: ManagerOptions['reportTo']
  readonly #send = createSend()
  readonly #places = new Set<Place>()
  readonly #told = new WeakSet<SignedImpError>()
  #isInstalled = false

  /**
   * @throws TypeError on an option that is unknown or wrong
   * @throws SignedImpError `ERR_SIGNEDIMP_KEY`
   */
  constructor(options: ManagerOptions = {}) {
    const { onRefusal, reportTo, ...defaults } = resolveManager(options)
    this.#defaults = defaults
    this.#onRefusal = onRefusal
    this.#reportTo = reportTo
  }

  /**
   * Makes this the page's one manager. Roots can be added to no other.
   * @throws SignedImpError `ERR_SIGNEDIMP_NOT_ENFORCEABLE` where there is another one
   */
  install(): this {
    if (this.#isInstalled) return this
    // Another copy of this class, or somebody who was first: what it lets pass is not known.
    if (Reflect.has(globalThis, globalName)) throw this.#tell(notEnforceable('another manager'))
    const value: InstalledManager = Object.freeze({
      import: <Module>(url: string | URL) => this.import<Module>(url),
      fetch: (input: RequestInfo | URL, init?: RequestInit) => this.fetch(input, init),
      verify: (url: string | URL, bytes: BufferSource) => this.verify(url, bytes),
    })
    Object.defineProperty(globalThis, globalName, { value })
    this.#isInstalled = true
    return this
  }

  /**
   * Trusts one more key, for roots that are added later and have no keys of their own.
   * @throws SignedImpError `ERR_SIGNEDIMP_KEY`
   * @throws TypeError on what is no key
   */
  addKey(key: PublicKey): this {
    this.#defaults.keys.push(readKey(key, 'key'))
    return this
  }

  /**
   * Checks a folder's manifest; from then on its modules can be imported.
   * @param base the folder's URL. No root may be in another, nor in the page's own signed app
   * @throws SignedImpError
   * @throws TypeError on an option that is unknown or wrong, and on a folder that shares URLs with another
   */
  async addRoot(base: string | URL, options: RootOptions = {}): Promise<void> {
    if (!this.#isInstalled) throw new TypeError('addRoot: install() this manager first')
    const required = resolveRoot(options, this.#defaults)
    let place: Place | undefined
    try {
      place = this.#reserve(toBase(base), required)
      await place.root
    } catch (error) {
      if (place) this.#places.delete(place)
      throw this.#tell(error, place)
    }
  }

  /**
   * Takes a root away: nothing of it is imported or handed out any more. What of it runs goes on running.
   * @returns whether there was such a root
   */
  remove(base: string | URL): boolean {
    const wanted = toBase(base)
    const place = [...this.#places].find((one) => one.base === wanted)
    place?.removal.abort()
    return place !== undefined && this.#places.delete(place)
  }

  /**
   * Imports a module of a root; of an entry's file, what the entry exports. Within its root, each module is one instance.
   * @returns its namespace
   * @throws SignedImpError, and what the module itself throws
   */
  async import<Module = Record<string, unknown>>(url: string | URL): Promise<Module> {
    return this.#within(url, async (path, root) => (await root.load(path)) as Module)
  }

  /**
   * Fetches a file of a root: as `fetch`, but that the browser compares the whole body with the signed hash before it gives
   * any of it, and that only status 200 counts. Headers are the server's word.
   * @throws SignedImpError; TypeError on what can bring no whole file: a method other than `GET`, or a `Range`; what
   *   `init.signal` was aborted with
   */
  async fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const request = toChecked(input, init)
    return this.#within(request.url, (path, root) => root.fetch(request, path))
  }

  /**
   * Checks bytes that came in another way.
   * @throws SignedImpError `ERR_SIGNEDIMP_CHANGED`, `ERR_SIGNEDIMP_UNLISTED`
   */
  async verify(url: string | URL, bytes: BufferSource): Promise<void> {
    const copy = copyBytes(bytes)
    await this.#within(url, async (path, { boot }) => {
      if (!(await isListed(boot, path, copy)))
        throw refusal('CHANGED', 'other bytes than the signed ones', path)
    })
  }

  /** Before anything is awaited, so that of two roots that share URLs the second one is refused. */
  #reserve(base: string, required: Required): Place {
    const taken = [...this.#places].map((place) => place.base)
    for (const other of [...taken, ...ownBases()])
      if (overlap(base, other)) throw new TypeError(`"base" ${base} shares URLs with ${other}`)
    const removal = new AbortController()
    const tell = (refused: SignedImpError) => void this.#tell(refused, { base, required })
    const place = { base, required, removal, root: openRoot(base, required, removal.signal, tell) }
    this.#places.add(place)
    return place
  }

  /** Does something with a file of a root that is there, before and after. */
  async #within<T>(
    reference: string | URL,
    work: (path: string, root: Root) => Promise<T>,
  ): Promise<T> {
    const { href } = toFileUrl(reference)
    const place = [...this.#places].find(({ base }) => href.startsWith(base))
    try {
      if (!place) throw refusal('UNLISTED', 'no root holds it', href)
      const root = await place.root
      const path = root.pathOf(href)
      const result = await work(path, root)
      refuseRemoved(place.removal.signal, path)
      return result
    } catch (error) {
      throw this.#tell(error, place)
    }
  }

  /** Name and build are those that the root was asked to have; of what no root holds, there are none. */
  #report(refused: SignedImpError, place?: Pick<Place, 'base' | 'required'>): void {
    const { name, build } = place?.required ?? {}
    this.#send({ name, build, report: this.#reportTo }, refused, place && { root: place.base })
  }

  /** Tells the page of a refusal, once, and the address that the manager was given. */
  #tell<T>(error: T, place?: Pick<Place, 'base' | 'required'>): T {
    if (error instanceof SignedImpError && !this.#told.has(error)) {
      this.#told.add(error)
      try {
        this.#report(error, place)
        this.#onRefusal?.(error)
      } catch (thrown) {
        reportError(thrown)
      }
      announce(error)
    }
    return error
  }
}

/** The folder of the page's own signed app, if it is one. */
function ownBases(): string[] {
  if (!Reflect.has(globalThis, '__signedimp')) return []
  const own = Reflect.get(globalThis, '__signedimp') as { url?: unknown } | undefined
  if (typeof own?.url !== 'string') throw notEnforceable('another __signedimp')
  return [new URL('.', own.url).href]
}

/** @throws TypeError on what is no URL */
function toFileUrl(reference: unknown): URL {
  const url =
    typeof reference === 'string' || reference instanceof URL ? toUrl(reference) : undefined
  if (!url) throw new TypeError(`"url" must be a URL, got ${typeof reference}`)
  // A fragment makes no other file.
  url.hash = ''
  return url
}
