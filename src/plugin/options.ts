import { KeyObject } from 'node:crypto'
import { hashTypes, type HashType } from '../crypto/algorithms.js'
import { isPattern } from '../emit/coverage.js'
import { fallbackText } from '../emit/fallback.js'
import { headersFiles, type HeadersForm, type Policy } from '../emit/forms.js'
import { isPage } from '../emit/output.js'
import { isIntegrity, whyNotExternal } from '../emit/own-map.js'
import type { KeySource, Password } from '../keys/private.js'
import type { PublicKeySource } from '../keys/public.js'
import { isInstant } from '../manifest/format.js'
import { defaultManifestName, isManifestName } from '../manifest/names.js'
import { addressRule, rememberRule, type Remember, type Rule } from '../manifest/options.js'
import { isSafeText } from '../manifest/path.js'
import { pageOptions, refuseOtherPages } from './page-options.js'

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
  /** Whether pages remember the highest build and refuse lower ones; `'if-possible'`: not without storage. @default false */
  remember?: boolean | 'if-possible'
  /** How pages carry the bootstrap: inline, linked (`false`), or inline with the signed manifest (`'all'`). @default true */
  inline?: boolean | 'all'
  /** Pages: HTML files (esbuild); or who writes them: `'backend'`, or `'later'`, for `signedimp html`. @default [] */
  html?: readonly string[] | 'later' | 'backend'
  /** Whether pages whose policy allows no inline import map and no `blob:` may load modules by tags. @default false */
  tags?: boolean
  /** Which policy pages are made for: `'self'` for one that goes by hosts, and has the hash of their import map. @default 'strict-dynamic' */
  policy?: Policy
  /** Whether pages may do without https, where browsers give no cryptography: with RSA keys only. @default false */
  pure?: boolean
  /** Whether pages fetch workers before the code that names them, as some policies need. @default false */
  workersFirst?: boolean
  /** Forms in which files say with which headers to serve the output: `_headers`, `nginx`, `apache`, `json`. @default [] */
  headers?: readonly HeadersForm[]
  /** Integrity metadata of external modules, which pages may then import, by their URLs. @default {} */
  external?: Readonly<Record<string, string>>
  /** Whether pages show a line of text where the bootstrap does not run, or which one. @default false */
  fallback?: boolean | string
  /** Where pages report what they refuse: an https: URL, or a path on the page's own host. @default nowhere */
  reportTo?: string
  /** Names of code that nothing checks and that you accept: paths or URLs, `*` for any characters but `/`. @default [] */
  unverified?: readonly string[]
  /** Files beside WebAssembly that `fetch` gives only as they are signed: all, or paths, `*` as in `unverified`. @default false */
  resources?: boolean | readonly string[]
  /** Whether builds for servers are signed too; in Rollup and Rolldown, whether this is one. @default false */
  server?: boolean
  /** `'report-only'` refuses nothing and tells what it would, `'off'` signs nothing; both say so in every build. @default 'on' */
  mode?: Mode
}

/** What a build is to do: have pages refuse what is not signed, only tell of it, or nothing. */
export type Mode = 'on' | 'report-only' | 'off'

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
  remember: Remember | undefined
  inline: boolean | 'all'
  html: readonly string[] | 'later' | 'backend'
  tags: boolean
  policy: Policy
  pure: boolean
  workersFirst: boolean
  headers: readonly HeadersForm[]
  external: ReadonlyMap<string, string>
  fallback: string | undefined
  reportTo: string | undefined
  unverified: readonly string[]
  resources: boolean | readonly string[]
  /** Undefined where the bundler may tell. */
  server: boolean | undefined
  mode: Mode
  /** Names of given options that mean nothing to a program. */
  forPages: readonly string[]
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

/** An object that somebody wrote down, and not a key, a date or a URL in the wrong place. */
const isPlain = (value: unknown): value is object =>
  typeof value === 'object' &&
  value !== null &&
  [Object.prototype, null].includes(Object.getPrototypeOf(value))

const isKeySource = (value: unknown): boolean =>
  isText(value) || value instanceof URL || value instanceof KeyObject

const isSigner = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  'publicKey' in value &&
  'sign' in value &&
  typeof value.sign === 'function'

const isTrustedKey = (value: unknown): boolean => isPlain(value) && 'spki' in value

const rules: Record<keyof SignedImpOptions, Rule> = {
  password: ['a text or a function that gives one', (v) => typeof v === 'function' || isText(v)],
  keys: [
    'an array of public keys',
    (v) => Array.isArray(v) && v.every((key) => isKeySource(key) || isTrustedKey(key)),
  ],
  threshold: ['a whole number of at least 1', (v) => Number.isInteger(v) && (v as number) >= 1],
  hash: [hashTypes.join(' or '), (v) => hashTypes.includes(v as HashType)],
  manifest: [
    'a file name that ends in .txt, at the root of the output',
    (v) => isText(v) && isManifestName(v) && /.\.txt$/.test(v),
  ],
  name: ['a text without control characters', (v) => isText(v) && isSafeText(v)],
  build: [
    'a whole number from 0 to 2^53 - 1',
    (v) => Number.isSafeInteger(v) && (v as number) >= 0,
  ],
  expires: [
    'a Date or a date text such as 2027-02-01T00:00:00Z',
    (v) => (v instanceof Date || isText(v)) && toInstant(v) !== undefined,
  ],
  remember: rememberRule,
  inline: ["true, false or 'all'", (v) => v === true || v === false || v === 'all'],
  html: [
    "an array of files that end in .html, 'later' or 'backend'",
    (v) =>
      v === 'later' ||
      v === 'backend' ||
      (Array.isArray(v) && v.every((file) => isText(file) && isPage(file))),
  ],
  tags: ['true or false', (v) => typeof v === 'boolean'],
  policy: ["'strict-dynamic' or 'self'", (v) => v === 'strict-dynamic' || v === 'self'],
  pure: ['true or false', (v) => typeof v === 'boolean'],
  workersFirst: ['true or false', (v) => typeof v === 'boolean'],
  headers: [
    `an array of ${Object.keys(headersFiles).join(', ')}`,
    (v) => Array.isArray(v) && v.every((form) => isText(form) && Object.hasOwn(headersFiles, form)),
  ],
  external: ['an object of URLs, each with one sha256-, sha384- or sha512- hash', isPlain],
  fallback: ['true, false or a text', (v) => typeof v === 'boolean' || isText(v)],
  reportTo: addressRule,
  unverified: [
    'an array of paths or URLs, each of which names something and is not only *',
    (v) => Array.isArray(v) && v.every((name) => isText(name) && isPattern(name)),
  ],
  resources: [
    'true, false or an array of paths',
    (v) => typeof v === 'boolean' || (Array.isArray(v) && v.every(isText)),
  ],
  server: ['true or false', (v) => typeof v === 'boolean'],
  mode: ["'on', 'report-only' or 'off'", (v) => v === 'on' || v === 'report-only' || v === 'off'],
}

/**
 * Checks the plugin's arguments, once.
 * @throws TypeError that names the option and what came instead
 */
export function resolveOptions(
  args: readonly unknown[],
  env: NodeJS.ProcessEnv = process.env,
): ResolvedOptions {
  const [key, given = {}] = args as [unknown, SignedImpOptions?]
  if (!isPlain(given)) throw wrong('options', 'an object', given)
  // Only where nothing is signed: elsewhere an unset variable must not look like a wish for a one-time key.
  const mayLack = given.mode === 'off' && (key === undefined || key === '')
  if (args.length > 0 && !mayLack && !isKeySource(key) && !isSigner(key))
    throw wrong('the key', keyRule, key)
  for (const [name, value] of Object.entries(given)) checkOption(name, value)

  const { password, name, expires, keys = [], threshold = 1, inline = true } = given
  if (threshold > keys.length + 1)
    throw wrong(
      '"threshold"',
      `a whole number from 1 to ${keys.length + 1}, the number of keys`,
      threshold,
    )
  if (inline === 'all' && threshold > 1)
    throw new TypeError(
      'signedImp: inline: \'all\' puts the one signature of this build into the pages, so "threshold" must be 1',
    )
  refuseOtherPages(given)
  const build = given.build ?? readEpoch(env)
  if (given.remember && build === undefined) throw noBuild
  return {
    key: (key || undefined) as KeySource | undefined,
    password,
    keys,
    threshold,
    hash: given.hash ?? 'sha256',
    manifest: given.manifest ?? defaultManifestName,
    name,
    build,
    expires: expires === undefined ? undefined : toInstant(expires),
    remember: given.remember || undefined,
    inline,
    html: given.html ?? [],
    tags: given.tags ?? false,
    policy: given.policy ?? 'strict-dynamic',
    pure: given.pure ?? false,
    workersFirst: given.workersFirst ?? false,
    headers: given.headers ?? [],
    external: readExternal(given.external ?? {}),
    fallback: given.fallback === true ? fallbackText : given.fallback || undefined,
    reportTo: given.reportTo,
    unverified: given.unverified ?? [],
    resources: given.resources ?? false,
    server: given.server,
    mode: given.mode ?? 'on',
    forPages: pageOptions.filter((option) => given[option] !== undefined),
  }
}

const noBuild = new TypeError(
  'signedImp: "remember" needs "build", a number that rises with every release, or SOURCE_DATE_EPOCH in the environment',
)

/** External modules by their URLs as URLs are parsed. */
function readExternal(given: Readonly<Record<string, unknown>>): Map<string, string> {
  const external = new Map<string, string>()
  for (const [name, integrity] of Object.entries(given)) {
    const url = URL.canParse(name) ? new URL(name) : undefined
    const why = url ? whyNotExternal(url) : 'is no absolute URL'
    if (why !== undefined || external.has(url!.href))
      throw new TypeError(
        `signedImp: "external" must be an object of https: URLs, each once; "${name}" ${why ?? 'is there twice'}`,
      )
    if (typeof integrity !== 'string' || !isIntegrity(integrity))
      throw new TypeError(
        `signedImp: "external" must be an object with one sha256-, sha384- or sha512- hash for each URL, so for ${name}; it is ${describe(integrity)}`,
      )
    external.set(url!.href, integrity)
  }
  return external
}

const keyRule =
  "a file, a URL, a PEM text, a KeyObject or a signer { publicKey, sign }; for a one-time key, call signedImp() without arguments; only with mode 'off' there may be none"

function checkOption(name: string, value: unknown): void {
  if (!Object.hasOwn(rules, name))
    throw new TypeError(
      `signedImp: option "${name}" must be one of ${Object.keys(rules).join(', ')}; it is an unknown option`,
    )
  const [wanted, isRight] = rules[name as keyof SignedImpOptions]
  if (value !== undefined && !isRight(value)) throw wrong(`"${name}"`, wanted, value)
}

const wrong = (what: string, wanted: string, value: unknown): TypeError =>
  new TypeError(`signedImp: ${what} must be ${wanted}; it is ${describe(value)}`)

/** What came, in a word. Of texts only what is too short and plain to be a key. */
function describe(value: unknown): string {
  if (value === '') return 'an empty text (is an environment variable not set?)'
  if (typeof value === 'string') return /^[\w./*-]{1,30}$/.test(value) ? `'${value}'` : 'a text'
  if (value === undefined) return 'undefined (is an environment variable not set?)'
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? 'an array' : 'an object'
  return typeof value === 'function' ? 'a function' : String(value)
}

/** The build that reproducible-builds.org's SOURCE_DATE_EPOCH stands for: seconds since 1970. */
function readEpoch({ SOURCE_DATE_EPOCH: epoch }: NodeJS.ProcessEnv): number | undefined {
  if (epoch === undefined) return undefined
  if (/^\d+$/.test(epoch) && Number.isSafeInteger(Number(epoch))) return Number(epoch)
  throw wrong('SOURCE_DATE_EPOCH in the environment', 'a number of seconds', epoch)
}

/** The instant as a manifest spells it, in whole seconds. */
function toInstant(expires: Date | string): string | undefined {
  const date = new Date(expires)
  const text = Number.isNaN(date.getTime()) ? '' : date.toISOString().replace(/\.\d+Z$/, 'Z')
  return isInstant(text) ? text : undefined
}
