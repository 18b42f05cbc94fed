import { accessSync, constants, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The engines that page tests run in. */
export type EngineName = 'chromium' | 'firefox' | 'webkit'

/** All engines, in the order in which tests run. */
export const engines: EngineName[] = ['chromium', 'firefox', 'webkit']

/** The engines that a setting (a list with commas, or `none`) leaves; all when it is not set. @default `SIGNEDIMP_ENGINES` */
export function selectedEngines(setting = process.env.SIGNEDIMP_ENGINES): EngineName[] {
  if (!setting) return engines
  const names = setting.split(',').map((name) => name.trim())
  const unknown = names.find((name) => name !== 'none' && !engines.includes(name as EngineName))
  if (unknown !== undefined)
    throw new TypeError(`SIGNEDIMP_ENGINES names ${unknown}; known: ${engines.join(', ')}`)
  return engines.filter((name) => names.includes(name))
}

/** A program that an engine needs, where it is, and the Debian package that has it. */
export interface Needed {
  what: string
  path: string | undefined
  debianPackage: string
}

/** What an engine needs on this machine; `path` is undefined for what is missing. */
export function neededBy(engine: EngineName): Needed[] {
  return needs[engine]()
}

/** The path of a program that is known to be there. */
export function binaryOf(engine: EngineName, what: string): string {
  const path = neededBy(engine).find((need) => need.what === what)?.path
  if (path === undefined) throw new Error(`${what}, which ${engine} needs, is not installed`)
  return path
}

/** Why an engine cannot be launched here, or undefined when it can. */
export function whyMissing(engine: EngineName): string | undefined {
  const missing = neededBy(engine).filter((need) => need.path === undefined)
  if (missing.length === 0) return undefined
  return `not installed: ${missing.map((need) => need.what).join(', ')}`
}

const needs: Record<EngineName, () => Needed[]> = {
  chromium: () => [
    {
      what: 'chromium',
      path: find('SIGNEDIMP_CHROMIUM', ['chromium', 'chromium-browser', 'google-chrome']),
      debianPackage: 'chromium',
    },
  ],
  firefox: () => [
    {
      what: 'firefox',
      path: find('SIGNEDIMP_FIREFOX', ['firefox-esr', 'firefox']),
      debianPackage: 'firefox-esr',
    },
  ],
  webkit: () => [
    {
      what: 'WebKitWebDriver',
      path: find('SIGNEDIMP_WEBKITDRIVER', ['WebKitWebDriver']),
      debianPackage: 'webkit2gtk-driver',
    },
    { what: 'MiniBrowser', path: miniBrowser(), debianPackage: 'webkit2gtk-driver' },
    { what: 'Xvfb', path: find(undefined, ['Xvfb']), debianPackage: 'xvfb' },
  ],
}

/** The web servers that tests load configuration into. */
export type ServerName = 'nginx' | 'apache'

/** What the web servers need on this machine. Only Debian's Apache is known to have its modules where tests look. */
export const neededServers: () => (Needed & { name: ServerName })[] = () => [
  {
    name: 'nginx',
    what: 'nginx',
    path: find('SIGNEDIMP_NGINX', ['nginx']),
    debianPackage: 'nginx-light',
  },
  {
    name: 'apache',
    what: 'apache2',
    path: find('SIGNEDIMP_APACHE', ['apache2']),
    debianPackage: 'apache2-bin',
  },
]

/** Programs that make keys and keep them, which tests of key files run. */
export const neededKeyTools: () => Needed[] = () => [
  {
    what: 'keytool',
    path: find(undefined, ['keytool']),
    debianPackage: 'default-jre-headless',
  },
  {
    what: 'softhsm2-util',
    path: find(undefined, ['softhsm2-util']),
    debianPackage: 'softhsm2',
  },
  {
    what: 'pkcs11-tool',
    path: find(undefined, ['pkcs11-tool']),
    debianPackage: 'opensc',
  },
]

/** Why a program that makes or keeps keys cannot be run here, or undefined when it can. */
export const whyNoKeyTool = (what: string): string | undefined =>
  neededKeyTools().find((need) => need.what === what)!.path === undefined
    ? `not installed: ${what}`
    : undefined

/** Why a web server cannot be started here, or undefined when it can. */
export function whyNoServer(server: ServerName): string | undefined {
  const need = neededServers().find(({ name }) => name === server)!
  return need.path === undefined ? `not installed: ${need.what}` : undefined
}

/** The path of a web server that is known to be there. */
export function programOf(server: ServerName): string {
  const path = neededServers().find(({ name }) => name === server)?.path
  if (path === undefined) throw new Error(`${server} is not installed`)
  return path
}

/** An override that names nothing runnable means missing: never another browser than was asked for. */
function find(override: string | undefined, names: string[]): string | undefined {
  const forced = override && process.env[override]
  if (forced) return runnable(forced) ? forced : undefined
  // Where servers are, which not everybody has in the path.
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), '/usr/sbin']
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(runnable)
}

function miniBrowser(): string | undefined {
  const libraries = ['/usr/libexec', '/usr/lib', '/usr/lib64']
  const parents = [...libraries, ...list('/usr/lib').map((name) => join('/usr/lib', name))]
  const folders = parents.flatMap((parent) =>
    list(parent)
      .filter((name) => /^webkit2?gtk-[\d.]+$/.test(name))
      .map((name) => join(parent, name, 'MiniBrowser')),
  )
  return folders.find(runnable)
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function runnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
