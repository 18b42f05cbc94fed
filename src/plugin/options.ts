import { KeyObject } from 'node:crypto'
import { hashTypes, type HashType } from '../crypto/algorithms.js'
import type { Inline } from '../emit/emit.js'
import type { KeySource, Password } from '../keys/private.js'
import type { PublicKeySource } from '../keys/public.js'
import { isInstant } from '../manifest/format.js'
import { defaultManifestName } from '../manifest/names.js'
import { isPath, isSafeText } from '../manifest/path.js'

/** Options of the plugin. */
export interface SignedImpOptions {
  /** Password of an encrypted key. @default SIGNEDIMP_PASSWORD, or the content of the file SIGNEDIMP_PASSWORD_FILE */
  password?: Password
  /** More public keys that pages accept: PEM files, PEM texts, key objects. @default [] */
  keys?: readonly PublicKeySource[]
  /** How many of the keys must have signed before a page accepts. @default 1 */
  threshold?: number
  /** Hash of the listed files. @default 'sha256' */
  hash?: HashType
  /** Name of the manifest at the output's root. @default 'signedimp-manifest.txt' */
  manifest?: string
  /** Which app and channel this is: pages accept no other. @default the package's name */
  name?: string
  /** A whole number that rises with every release; pages accept no lower one. @default SOURCE_DATE_EPOCH, else none */
  build?: number
  /** When pages stop accepting this build. @default never */
  expires?: Date | string
  /** How pages carry the bootstrap: inline, linked (`false`), or inline with the signed manifest (`'all'`). @default true */
  inline?: Inline
  /** Names of code that nothing checks and that you accept: paths or URLs, `*` for any characters but `/`. @default [] */
  unverified?: readonly string[]
  /** `'off'` signs nothing and checks nothing, and says so in every build. @default 'on' */
  mode?: 'on' | 'off'
}

/** The options, checked and filled in; what depends on files is still to be read. */
export interface ResolvedOptions {
  /** Undefined for a one-time key. */
  key: KeySource | undefined
  password: Password | undefined
  keys: readonly PublicKeySource[]
  threshold: number
  hash: HashType
  manifest: string
  name: string | undefined
  build: number | undefined
  expires: string | undefined
  inline: Inline
  unverified: readonly string[]
  mode: 'on' | 'off'
}

const known = [
  'password',
  'keys',
  'threshold',
  'hash',
  'manifest',
  'name',
  'build',
  'expires',
  'inline',
  'unverified',
  'mode',
]

/**
 * Checks the plugin's arguments, once.
 * @throws TypeError that names the option and what came instead
 */
export function resolveOptions(
  args: readonly unknown[],
  env: NodeJS.ProcessEnv = process.env,
): ResolvedOptions {
  const [key, given = {}] = args as [unknown, SignedImpOptions?]
  if (args.length > 0) checkKey(key)
  check('options', given, 'an object of options', isPlain)
  for (const name of Object.keys(given))
    check(
      `option "${name}"`,
      undefined,
      `one of ${known.join(', ')}`,
      () => known.includes(name),
      'an unknown option',
    )
  const {
    password,
    keys = [],
    threshold = 1,
    hash = 'sha256',
    manifest = defaultManifestName,
    name,
    expires,
    inline = true,
    unverified = [],
    mode = 'on',
  } = given
  const build = given.build ?? fromEpoch(env)

  check(
    '"password"',
    password,
    'a text or a function that gives one',
    (v) => v === undefined || typeof v === 'function' || (typeof v === 'string' && v !== ''),
    password === '' ? 'an empty text' : undefined,
  )
  check('"keys"', keys, 'an array of public keys', (v) => Array.isArray(v) && v.every(isKeySource))
  check(
    '"threshold"',
    threshold,
    `a whole number from 1 to ${keys.length + 1}, the number of keys`,
    (v) => Number.isInteger(v) && threshold >= 1 && threshold <= keys.length + 1,
  )
  check('"hash"', hash, hashTypes.join(', '), (v) => hashTypes.includes(v as HashType))
  check(
    '"manifest"',
    manifest,
    'a file name that ends in .txt, at the root of the output',
    (v) => typeof v === 'string' && isPath(v) && /^[^/]+\.txt$/.test(v),
  )
  check(
    '"name"',
    name,
    'a text without control characters',
    (v) => v === undefined || (typeof v === 'string' && isSafeText(v)),
  )
  check(
    '"build"',
    build,
    'a whole number from 0 to 2^53 - 1',
    (v) => v === undefined || (Number.isSafeInteger(v) && (v as number) >= 0),
  )
  check('"inline"', inline, "true, false or 'all'", (v) => v === true || v === false || v === 'all')
  check(
    '"unverified"',
    unverified,
    'an array of paths or URLs, each with a name and not only *',
    (v) => Array.isArray(v) && v.every(isName),
  )
  check('"mode"', mode, "'on' or 'off'", (v) => v === 'on' || v === 'off')
  if (inline === 'all' && threshold > 1)
    throw new TypeError(
      "signedImp: inline: 'all' puts this build's one signature into the pages, so \"threshold\" must be 1",
    )
  return {
    key: key as KeySource | undefined,
    password,
    keys,
    threshold,
    hash,
    manifest,
    name,
    build,
    expires: toInstant(expires),
    inline,
    unverified,
    mode,
  }
}

/** The word for what came, never its content: it may be a key. */
const kindOf = (value: unknown): string =>
  value === null
    ? 'null'
    : Array.isArray(value)
      ? 'an array'
      : value === ''
        ? 'an empty text'
        : typeof value

function check(
  what: string,
  value: unknown,
  wanted: string,
  isRight: (value: unknown) => boolean,
  found?: string,
): void {
  if (!isRight(value)) {
    const shown =
      typeof value === 'number' || typeof value === 'boolean' ? String(value) : kindOf(value)
    throw new TypeError(
      `signedImp: ${what} must be ${wanted}; it is ${found ?? (/hash|mode|inline|manifest/.test(what) ? JSON.stringify(value) : shown)}`,
    )
  }
}

const isPlain = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isKeySource = (value: unknown): boolean =>
  (typeof value === 'string' && value !== '') ||
  value instanceof URL ||
  value instanceof KeyObject ||
  (isPlain(value) && 'spki' in (value as object))

const isSigner = (value: unknown): boolean =>
  isPlain(value) &&
  'publicKey' in (value as object) &&
  typeof (value as { sign?: unknown }).sign === 'function'

function checkKey(key: unknown): void {
  check(
    'the key',
    key,
    'a file, a URL, a PEM text, a KeyObject or a signer { publicKey, sign }; for a one-time key, call signedImp() without arguments',
    (v) => isSigner(v) || (isKeySource(v) && !(isPlain(v) && 'spki' in (v as object))),
  )
}

/** A segment with a star must still name something: two letters or digits in a row, beside its extension. */
const isName = (value: unknown): boolean =>
  typeof value === 'string' &&
  value !== '' &&
  value
    .split('/')
    .every(
      (segment) =>
        !segment.includes('*') || /[\p{L}\p{N}]{2}/u.test(segment.replace(/\.[^.*]*$/, '')),
    )

function fromEpoch({ SOURCE_DATE_EPOCH: epoch }: NodeJS.ProcessEnv): number | undefined {
  return epoch === undefined ? undefined : /^\d+$/.test(epoch) ? Number(epoch) : NaN
}

function toInstant(expires: Date | string | undefined): string | undefined {
  if (expires === undefined) return undefined
  const date = new Date(expires)
  const text = Number.isNaN(date.getTime()) ? '' : date.toISOString().replace(/\.\d+Z$/, 'Z')
  check(
    '"expires"',
    text,
    'a Date or a date text such as 2027-02-01T00:00:00Z',
    (v) => isInstant(v as string),
    'no date',
  )
  return text
}
