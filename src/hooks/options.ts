/** Options of `register` and of the manager: what callers give, checked and filled in. */
import { resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  checked,
  readKeys,
  resolveRoot,
  trustRules,
  type Defaults,
  type RootOptions as SharedRootOptions,
  type TrustOptions,
} from '../manifest/manager-options.js'
import { describe, type Rule } from '../manifest/options.js'
import type { Policy } from './judge.js'
import { trustKeyNow } from './keys.js'
import { rememberBuild } from './memory.js'
import type { RootOptions as OpenOptions } from './root.js'

/** What a root must be. */
export interface RootOptions extends SharedRootOptions {
  /**
   * SHA-256, in hex, of its signed text: then this very release is accepted and no other that the keys signed.
   * @default any
   */
  release?: string
}

/** A root that is there from the start. */
export interface RegisteredRoot extends RootOptions {
  /** The folder: a path, or its `file:` URL. */
  base: string | URL
}

/** What a manager is made with. */
export interface ManagerOptions extends TrustOptions, Partial<Policy> {
  /**
   * Files that were loaded before, and that you vouch for, by path or `file:` URL: with any other, the program does not
   * start. @default []
   */
  allow?: readonly (string | URL)[]
  /**
   * A folder in which the highest build of each root is remembered, and lower ones are refused: a path, or its `file:` URL. It
   * must be there, and lie in no root. @default none
   */
  remember?: string | URL
}

/** What a program may load. */
export interface RegisterOptions extends ManagerOptions {
  /** The one signed folder, where it needs no options of its own. */
  root?: string | URL
  /** The signed folders. None may be in another. */
  roots?: readonly RegisteredRoot[]
}

const isLocation = (value: unknown): value is string | URL =>
  (typeof value === 'string' && value !== '') ||
  (value instanceof URL && value.protocol === 'file:')

const locationRule: Rule = ['a path or a file: URL', isLocation]

const managerRules: Record<keyof ManagerOptions, Rule> = {
  ...trustRules,
  remember: locationRule,
  nodeModules: [
    '"refused" or "unverified"',
    (value) => value === 'refused' || value === 'unverified',
  ],
  allow: [
    'an array of paths and file: URLs',
    (value) => Array.isArray(value) && value.every(isLocation),
  ],
}

const registerRules: Record<keyof RegisterOptions, Rule> = {
  ...managerRules,
  root: locationRule,
  roots: ['an array of objects', (value) => Array.isArray(value) && value.every(isObject)],
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null

/** What a manager was made with, checked and filled in. */
export interface Resolved extends Policy {
  defaults: Defaults
  allow: string[]
  /** The folder in which builds are remembered. */
  memory: string | undefined
}

/** @throws TypeError, SignedImpError `ERR_SIGNEDIMP_KEY` */
export function resolveManager(options: ManagerOptions): Resolved {
  const given = checked(options, managerRules)
  const { keys = [], threshold = 1, name, nodeModules = 'refused', allow = [] } = given
  const defaults = { keys: readKeys(keys), threshold, name }
  const memory = given.remember === undefined ? undefined : toPath(given.remember)
  return { defaults, nodeModules, allow: allow.map(toPath), memory }
}

/** @throws TypeError, SignedImpError `ERR_SIGNEDIMP_KEY` */
export function resolveRegister(options: RegisterOptions): Resolved & { roots: OpenOptions[] } {
  const { root, roots = [], ...rest } = checked(options, registerRules)
  const resolved = resolveManager(rest)
  const all = [...(root === undefined ? [] : [{ base: root }]), ...roots]
  if (all.length === 0) throw new TypeError('"root" must be given, or "roots"')
  return { ...resolved, roots: all.map(({ base, ...one }) => toOpen(base, one, resolved)) }
}

/** @throws TypeError, SignedImpError `ERR_SIGNEDIMP_KEY` */
export function toOpen(
  base: string | URL,
  { release, ...options }: RootOptions,
  { defaults, memory }: Pick<Resolved, 'defaults' | 'memory'>,
): OpenOptions {
  if (!isLocation(base))
    throw new TypeError(`"base" must be a path or a file: URL, got ${describe(base)}`)
  if (release !== undefined && !/^[0-9a-f]{64}$/.test(release))
    throw new TypeError(`"release" must be a SHA-256 in hex, got ${describe(release)}`)
  const { keys, remember: _, ...required } = resolveRoot(options, defaults)
  const asked = { ...required, base: toPath(base), keys: keys.map(trustKeyNow), release }
  return memory === undefined
    ? asked
    : { ...asked, remember: (seen) => rememberBuild(memory, asked, seen) }
}

/** An absolute path; with a separator behind it, where it had one. */
export function toPath(location: string | URL): string {
  const text = `${location}`
  const path = resolve(text.startsWith('file:') ? fileURLToPath(text) : text)
  return /[\\/]$/.test(text) && !path.endsWith(sep) ? path + sep : path
}
