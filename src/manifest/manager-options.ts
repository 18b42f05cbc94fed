import { defaultManifestName } from './names.js'
import type { SignedImpError } from '../errors.js'
import {
  addressRule,
  buildRule,
  checkOptions,
  functionRule,
  manifestRule,
  nameRule,
  rememberRule,
  type Remember,
  type Rule,
} from './options.js'
import { readKey, type GivenKey, type PublicKey } from '../crypto/given.js'

/** Who must have signed a root, and what it must be: of a manager, where a root has no keys, threshold or name of its own. */
export interface TrustOptions {
  /** Public keys: PEM, SubjectPublicKeyInfo in base64, or what `loadPublicKey` gives. @default [] */
  keys?: readonly PublicKey[]
  /** How many of the keys must have signed. @default 1 */
  threshold?: number
  /** Which app and channel a root must be. */
  name?: string
}

/** What a manager is made with. */
export interface ManagerOptions extends TrustOptions {
  /** Called once for each refusal, before the window gets its event. What it throws is reported to the window. @default none */
  onRefusal?: (refused: SignedImpError) => void
  /** Whether the highest build of each root is remembered, and lower ones refused; `'if-possible'`: not without storage. @default false */
  remember?: boolean | 'if-possible'
  /** Where refusals are reported to: an https: URL, or a path on the page's own host. @default nowhere */
  reportTo?: string
}

/** What a root must be. */
export interface RootOptions extends TrustOptions {
  /** The lowest build that is accepted; a root without one is then refused. @default any */
  build?: number
  /**
   * File name of its manifest. One with 16 hex digits before its extension is named by what it says, and no other is
   * accepted under that name. @default 'signedimp-manifest.txt'
   */
  manifest?: string
}

/** What managers do, in a page and on a server. */
export interface ImportManager {
  /** Makes this the one manager: roots can be added to no other. @throws SignedImpError where there is another one */
  install(): this
  /** Trusts one more key, for roots that are added later and have no keys of their own. */
  addKey(key: PublicKey): this
  /** Checks a folder's manifest; from then on its modules can be imported. */
  addRoot(base: string | URL, options?: RootOptions): Promise<void>
  /** Takes a root away. @returns whether there was such a root */
  remove(base: string | URL): boolean
  /** Imports a module of a root. @returns its namespace */
  import<Module = Record<string, unknown>>(url: string | URL): Promise<Module>
  /** Checks bytes that came in another way. @throws SignedImpError `ERR_SIGNEDIMP_CHANGED`, `ERR_SIGNEDIMP_UNLISTED` */
  verify(url: string | URL, bytes: ArrayBuffer | ArrayBufferView): Promise<void>
}

/** Whom a manager trusts, checked and filled in. */
export interface Defaults {
  keys: GivenKey[]
  threshold: number
  name: string | undefined
  /** In a page: whether builds are remembered. */
  remember?: Remember | undefined
}

/** What a root must be, checked and filled in. */
export interface Required extends Defaults {
  name: string
  build: number | undefined
  manifest: string
}

/** The rules of {@link TrustOptions}. */
export const trustRules: Record<keyof TrustOptions, Rule> = {
  keys: ['an array of public keys', Array.isArray],
  threshold: [
    'a whole number of at least 1',
    (value) => Number.isInteger(value) && (value as number) >= 1,
  ],
  name: nameRule,
}

const managerRules: Record<keyof ManagerOptions, Rule> = {
  ...trustRules,
  onRefusal: functionRule,
  remember: rememberRule,
  reportTo: addressRule,
}

const rootRules: Record<keyof RootOptions, Rule> = {
  ...trustRules,
  build: buildRule,
  manifest: manifestRule,
}

/** @throws TypeError, SignedImpError `ERR_SIGNEDIMP_KEY` */
export function resolveManager(
  options: ManagerOptions,
): Defaults & Pick<ManagerOptions, 'onRefusal' | 'reportTo'> {
  const given = checked(options, managerRules)
  const { keys = [], threshold = 1, name, remember, onRefusal, reportTo } = given
  const told = { ...(onRefusal && { onRefusal }), ...(reportTo && { reportTo }) }
  return { keys: readKeys(keys), threshold, name, remember: remember || undefined, ...told }
}

/** @throws TypeError, SignedImpError `ERR_SIGNEDIMP_KEY` */
export function resolveRoot(options: RootOptions, defaults: Defaults): Required {
  const given = checked(options, rootRules)
  const { threshold = defaults.threshold, name = defaults.name } = given
  // Keys of its own stand in place of the manager's, not beside them: one root's key must not vouch for another.
  const keys = given.keys ? readKeys(given.keys) : [...defaults.keys]
  const count = new Set(keys.map(({ spki }) => spki)).size
  if (count === 0) throw new TypeError('"keys" must hold a key, for the root or for the manager')
  if (threshold > count)
    throw new TypeError(
      `"threshold" must be a whole number from 1 to ${count}, the number of keys, got ${threshold}`,
    )
  if (name === undefined)
    throw new TypeError('"name" must be given, for the root or for the manager')
  return {
    keys,
    threshold,
    name,
    build: given.build,
    manifest: given.manifest ?? defaultManifestName,
    remember: defaults.remember,
  }
}

/** Options without what somebody gave all objects. @throws TypeError on one that is unknown or wrong */
export function checked<Options extends object>(
  options: Options,
  known: Record<string, Rule>,
): Options {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(
      `"options" must be an object, got ${options === null ? null : typeof options}`,
    )
  const own = { __proto__: null, ...options }
  // A text may be a private key: it is not shown.
  if ('keys' in own && typeof own.keys === 'string')
    throw new TypeError('"keys" must be an array of public keys, got a text')
  checkOptions(own, known)
  return own
}

/** @throws TypeError, SignedImpError `ERR_SIGNEDIMP_KEY` */
export const readKeys = (keys: readonly PublicKey[]): GivenKey[] =>
  keys.map((key, at) => readKey(key, `keys[${at}]`))
