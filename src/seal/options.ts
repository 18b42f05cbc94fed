import type { KeyObject } from 'node:crypto'
import { hasHost } from '../emit/graph.js'
import { generateKey } from '../keys/generate.js'
import { describe } from '../manifest/options.js'
import { resolveOptions, type ResolvedOptions } from '../plugin/options.js'
import type { Progress } from '../tree/hash.js'
import type { SealOptions } from './types.js'

/** The options, checked. */
export interface ResolvedSeal {
  release: ResolvedOptions
  /** Undefined where the pages are to say it. */
  base: string | undefined
  isDryRun: boolean
  isOneTime: boolean
  progress: Progress | undefined
  /** How to accept names of what is not checked, where they come from; as the option unless told. */
  spell?: (names: string[]) => string
}

/** Options of the plugin that mean nothing to a folder, or need what only a bundler knows. */
const notOfSeals = ['html', 'mode', 'policy', 'server']

/**
 * Checks the options of a seal; a key that is there and undefined is a mistake, and no wish for a one-time key.
 * @throws TypeError that names the option and what came instead
 */
export async function resolveSeal(options: SealOptions): Promise<ResolvedSeal> {
  const { key, base, dryRun = false, progress, ...rest } = options
  for (const name of notOfSeals)
    if (name in rest)
      throw new TypeError(`"${name}" is an option of the plugin, and none of a seal`)
  if (typeof dryRun !== 'boolean') throw wrong('dryRun', 'true or false', dryRun)
  if (progress !== undefined && typeof progress !== 'function')
    throw wrong('progress', 'a function', progress)
  const isOneTime = !Object.hasOwn(options, 'key')
  const used = isOneTime ? await oneTimeKey() : key
  return {
    release: resolveOptions([used, rest]),
    base: base === undefined ? undefined : readBase(base),
    isDryRun: dryRun,
    isOneTime,
    progress,
  }
}

/** Not Ed25519: WebKitGTK 2.50 dies of verifying a text of more than 64 KiB with it. */
const oneTimeKey = (): Promise<KeyObject> => generateKey('ecdsa-p256')

function readBase(base: unknown): string {
  if (base === '' || base === './') return ''
  const isPlace = typeof base === 'string' && (/^\/(?!\/)/.test(base) || hasHost(base))
  if (isPlace && base.endsWith('/') && !/[?#\\]/.test(base) && URL.canParse(base, 'https://host'))
    return base
  throw wrong('base', "a path or URL that ends in a slash, or ''", base)
}

const wrong = (option: string, expected: string, value: unknown): TypeError =>
  new TypeError(`"${option}" must be ${expected}, got ${describe(value)}`)
