/** What `node --import signedimp/node` is told: by variables of the environment, or by a file that one of them names. */
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import { refuseKey } from '../crypto/given.js'
import { defaultManifestName } from '../manifest/names.js'
import { checkOptions } from '../manifest/options.js'
import type { RegisteredRoot, RegisterOptions } from './options.js'

/** What says what a program may load. */
export interface Environment {
  SIGNEDIMP_KEY?: string | undefined
  SIGNEDIMP_NAME?: string | undefined
  SIGNEDIMP_ROOT?: string | undefined
  SIGNEDIMP_CONFIG?: string | undefined
  SIGNEDIMP_REMEMBER?: string | undefined
}

/**
 * The options that the environment gives; undefined where it gives none. Nothing is searched for, but for the folder whose
 * manifest must then be signed: who can write beside a program must not be able to say whom it trusts.
 * @param entry the program
 * @throws TypeError on what is missing or wrong
 * @throws SignedImpError `ERR_SIGNEDIMP_KEY`
 */
export function fromEnvironment(env: Environment, entry?: string): RegisterOptions | undefined {
  const { SIGNEDIMP_KEY: key, SIGNEDIMP_NAME: name, SIGNEDIMP_CONFIG: config } = env
  const { SIGNEDIMP_REMEMBER: remember } = env
  if (config !== undefined) {
    const other = Object.entries({ SIGNEDIMP_KEY: key, SIGNEDIMP_REMEMBER: remember }).find(
      ([, value]) => value !== undefined,
    )
    if (other) throw new TypeError(`${other[0]} and SIGNEDIMP_CONFIG: give one of them`)
    return fromConfig(config)
  }
  if (key === undefined && remember === undefined) return undefined
  if (key === undefined) throw new TypeError('SIGNEDIMP_KEY must be given with SIGNEDIMP_REMEMBER')
  if (!name) throw new TypeError('SIGNEDIMP_NAME must say which app this is, as it was signed')
  if (remember !== undefined && !env.SIGNEDIMP_ROOT)
    // What is found is the real folder, which may be another one with each release.
    throw new TypeError('SIGNEDIMP_ROOT must be given with SIGNEDIMP_REMEMBER')
  const root = env.SIGNEDIMP_ROOT || findRoot(entry)
  const keys = [readKeyIn(key, process.cwd(), [root])]
  return { keys, name, root, ...(remember !== undefined && { remember }) }
}

/** What a configuration says: as `register`, but that its paths are relative to its folder, and that keys may be files. */
function fromConfig(config: string): RegisterOptions {
  const file = resolve(config)
  const folder = dirname(file)
  const options = JSON.parse(readFileSync(file, 'utf8')) as RegisterOptions
  checkOptions({ config: options }, { config: ['an object in JSON', isObject] })
  const locate = <Location extends string | URL>(one: Location) =>
    typeof one === 'string' ? resolve(folder, one) : one
  const roots = (options.roots ?? []).map((root) => ({ ...root, base: locate(root.base) }))
  const root = options.root === undefined ? undefined : locate(options.root)
  const bases = [...roots.map(({ base }) => base), root].filter((base) => typeof base === 'string')
  refuseInside('SIGNEDIMP_CONFIG', file, bases)
  const toKeys = (keys: RegisterOptions['keys']) =>
    keys?.map((key) => (typeof key === 'string' ? readKeyIn(key, folder, bases) : key))
  return {
    ...options,
    ...(options.keys && { keys: toKeys(options.keys)! }),
    ...(root !== undefined && { root }),
    ...(options.remember !== undefined && { remember: locate(options.remember) }),
    roots: roots.map((one): RegisteredRoot => ({
      ...one,
      ...(one.keys && { keys: toKeys(one.keys)! }),
    })),
    allow: (options.allow ?? []).map(locate),
  }
}

const isObject = (value: unknown) =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A key's text: what has a dot is a file, for neither PEM nor base64 has one. */
function readKeyIn(key: string, folder: string, bases: readonly string[]): string {
  if (!key.includes('.')) return key.replace(/\\n/g, '\n')
  const file = resolve(folder, key)
  if (!existsSync(file)) throw refuseKey('SIGNEDIMP_KEY', `names no file: ${file}`)
  refuseInside('SIGNEDIMP_KEY', file, bases)
  return readFileSync(file, 'utf8')
}

/** Whoever can change a root must not be able to change whom it must be signed by. */
function refuseInside(option: string, file: string, bases: readonly string[]): void {
  const real = realpathSync(file)
  for (const base of bases.filter((one) => existsSync(one)))
    if (real.startsWith(realpathSync(base) + sep))
      throw refuseKey(
        option,
        `names a file in the root ${base}: keep it where the root's writer cannot`,
      )
}

/** The nearest folder above the program that has a manifest. */
function findRoot(entry: string | undefined): string {
  const start = entry === undefined ? undefined : realFile(resolve(entry))
  for (let at = start, last = ''; at !== undefined && at !== last; last = at, at = dirname(at))
    if (existsSync(join(at, defaultManifestName))) return at
  throw new TypeError(
    `SIGNEDIMP_ROOT must name the signed folder: there is no ${defaultManifestName} above ${entry ?? 'the program'}`,
  )
}

function realFile(file: string): string {
  try {
    return realpathSync(file)
  } catch {
    return file
  }
}
