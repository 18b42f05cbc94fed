import { fileURLToPath } from 'node:url'
import { copyBytes } from '../crypto/bytes.js'
import { readKey, type PublicKey } from '../crypto/given.js'
import type { ImportManager } from '../manifest/manager-options.js'
import { refusal } from '../manifest/refusal.js'
import { hasHash, isListed, locate, type Place } from './judge.js'
import {
  resolveManager,
  resolveRegister,
  toOpen,
  toPath,
  type ManagerOptions,
  type RegisterOptions,
  type Resolved,
  type RootOptions,
} from './options.js'
import { openRoot, urlOf, type RootOptions as OpenOptions } from './root.js'
import { start, type Started } from './start.js'

/** What children load first: the build puts this file beside it. */
export const home: URL = new URL('./node.js', import.meta.url)
const folder = fileURLToPath(new URL('.', home))

/** Of this thread: there is one, for there is one loader. */
let only: { started: Started; as: string } | undefined

/** 1 as soon as something is registered in this thread. The loader may be in another one. */
export const running: Int32Array = new Int32Array(new SharedArrayBuffer(4))

/**
 * Makes the runtime load nothing but what `roots` lists, from here on, in this thread and in what it starts.
 * @throws TypeError on an option that is unknown or wrong, and where something else was registered
 * @throws SignedImpError
 */
export function register(options: RegisterOptions): void {
  const { roots, ...resolved } = resolveRegister(options)
  startOnce(roots, resolved)
}

function startOnce(roots: readonly OpenOptions[], resolved: Resolved): Started {
  const preload = createPreload(resolved)
  if (only) {
    // Children are told again what their parent was told.
    const opened = roots.map((root) => openRoot(root).options)
    if (roots.length > 0 && preload(opened) === only.as) return only.started
    throw new TypeError('register: there are roots already; add others with addRoot()')
  }
  const { nodeModules, allow } = resolved
  const started = start({ roots, nodeModules, allow: [...allow, folder], preload })
  only = { started, as: preload(started.judge.roots.map((root) => root.options)) }
  running[0] = 1
  return started
}

/** Where the first thing that a child runs leaves that its parent tells it what to load, whatever the environment says. */
export const told: unique symbol = Symbol.for('signedimp.told') as never

/** The module that children load first, as a text in its URL: it registers the roots of the parent, in the same release. */
const createPreload =
  ({ nodeModules, allow }: Resolved) =>
  (roots: readonly OpenOptions[]): string => {
    const options = {
      nodeModules,
      allow,
      roots: roots.map((root) => ({ ...root, stored: undefined })),
    }
    const text = `globalThis[Symbol.for(${JSON.stringify(told.description)})]=1;const{register}=await import(${JSON.stringify(home.href)});register(${JSON.stringify(options)})`
    return `data:text/javascript;base64,${Buffer.from(text).toString('base64')}`
  }

/**
 * Loads what others signed: folders ("roots") on the disk, each checked by its own manifest, keys and name. Once it is
 * installed, the runtime loads nothing else.
 *
 * @example
 * const manager = new SignedImportManager({ keys: [pem] }).install()
 * await manager.addRoot('/srv/plugins/cart', { name: 'cart' })
 * const { mount } = await manager.import('/srv/plugins/cart/main.js')
 */
export class SignedImportManager implements ImportManager {
  readonly #resolved: Resolved
  #started: Started | undefined

  /**
   * @throws TypeError on an option that is unknown or wrong
   * @throws SignedImpError `ERR_SIGNEDIMP_KEY`
   */
  constructor(options: ManagerOptions = {}) {
    this.#resolved = resolveManager(options)
  }

  /**
   * Makes the runtime load nothing but what roots list: at first, nothing.
   * @throws TypeError where there are roots already
   * @throws SignedImpError where the runtime cannot be made to, or something was loaded before
   */
  install(): this {
    this.#started ??= startOnce([], this.#resolved)
    return this
  }

  /**
   * Trusts one more key, for roots that are added later and have no keys of their own.
   * @throws SignedImpError `ERR_SIGNEDIMP_KEY`
   * @throws TypeError on what is no key
   */
  addKey(key: PublicKey): this {
    this.#resolved.defaults.keys.push(readKey(key, 'key'))
    return this
  }

  /**
   * Checks a folder's manifest; from then on its modules can be imported.
   * @param base the folder: a path, or its `file:` URL. No root may be in another
   * @throws SignedImpError
   * @throws TypeError on an option that is unknown or wrong, and on a folder that shares files with another
   */
  async addRoot(base: string | URL, options: RootOptions = {}): Promise<void> {
    if (!this.#started) throw new TypeError('addRoot: install() this manager first')
    await this.#started.add(openRoot(toOpen(base, options, this.#resolved)))
  }

  /**
   * Takes a root away: nothing of it is loaded any more. What of it runs goes on running.
   * @returns whether there was such a root
   */
  remove(base: string | URL): boolean {
    const place = this.#place(`${toPath(base)}/x`)
    if (!place) return false
    void this.#started!.remove(place.root)
    return true
  }

  /**
   * Imports a module of a root.
   * @param url a path, or a `file:` URL
   * @returns its namespace
   * @throws SignedImpError, and what the module itself throws
   */
  async import<Module = Record<string, unknown>>(url: string | URL): Promise<Module> {
    const place = this.#listed(url)
    return import(urlOf(place.root, place.path)) as Promise<Module>
  }

  /**
   * Checks bytes that came in another way.
   * @throws SignedImpError `ERR_SIGNEDIMP_CHANGED`, `ERR_SIGNEDIMP_UNLISTED`
   */
  async verify(url: string | URL, bytes: ArrayBuffer | ArrayBufferView): Promise<void> {
    const copy = copyBytes(bytes)
    const { root, path } = this.#listed(url)
    if (!hasHash(root, path, copy))
      throw refusal('CHANGED', 'other bytes than the signed ones', path)
  }

  #place(file: string): Place | undefined {
    return this.#started && locate(this.#started.judge, file)
  }

  #listed(url: string | URL): Place {
    const place = this.#place(toPath(url))
    if (!place) throw refusal('UNLISTED', 'no root holds it', `${url}`)
    if (!isListed(place)) throw refusal('UNLISTED', 'the manifest does not list it', place.path)
    return place
  }
}
