import { createHash, type KeyObject } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { init, parse } from 'es-module-lexer'
import * as assert from 'uvu/assert'
import type { AppOptions } from '../../playground/build.ts'
import { nodeCrypto } from '../../src/crypto/node.ts'
import { toTrustedKey } from '../../src/keys/public.ts'
import { verifyManifest, type VerifiedManifest } from '../../src/manifest/verify.ts'
import { verifyDirectory } from '../../src/tree/verify.ts'

/** A Vite that is installed. */
export type ViteName = NonNullable<AppOptions['vite']>

/** Every Vite that is supported. */
export const vites: readonly ViteName[] = ['vite5', 'vite6', 'vite7', 'vite']

/** The Vites that an attack is tried with: the oldest and the newest, but all for the table of results. */
export const attackedVites: readonly ViteName[] = process.env.SIGNEDIMP_FULL
  ? vites
  : ['vite5', 'vite']

/** Paths of all files of a folder, dotfiles included. */
export const filesIn = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => relative(dir, join(file.parentPath, file.name)).replaceAll('\\', '/'))
    .sort()

export const textIn = (dir: string, path: string): string => readFileSync(join(dir, path), 'utf8')

const isManifest = (path: string) => /^signedimp-manifest(\.[0-9a-f]{16})?\.txt$/.test(path)

/** Names of the page manifests in a folder. */
export const pageManifestsIn = (dir: string): string[] =>
  filesIn(dir).filter((path) => isManifest(path) && path !== 'signedimp-manifest.txt')

/** Names of all manifests in a folder, which may not exist. */
export const manifestsIn = (dir: string): string[] =>
  existsSync(dir) ? filesIn(dir).filter(isManifest) : []

const hash = (bytes: Uint8Array, type: string) => createHash(type).update(bytes).digest('hex')

/** A signed folder, read. */
export interface Signed {
  main: VerifiedManifest
  /** The page manifests, by name. */
  pages: Map<string, VerifiedManifest>
}

/**
 * Reads a folder as a stranger with the public key would: both manifests are signed, the main one lists every file
 * of the folder but its compressed copies, and every hash in either is that of the bytes on disk. `signedimp verify` says so, too.
 */
export async function check(dir: string, key: KeyObject, name = 'fixture'): Promise<Signed> {
  const trust = { keys: [toTrustedKey(key)], threshold: 1, name }
  const read = (path: string) => verifyManifest(readFileSync(join(dir, path)), trust, nodeCrypto)
  const main = await read('signedimp-manifest.txt')
  const listed = filesIn(dir).filter((path) => !isManifest(path.replace(/\.(br|gz)$/, '')))
  assert.equal([...main.files.keys()].sort(), listed, 'every file is listed once')
  const pages = new Map<string, VerifiedManifest>()
  for (const path of pageManifestsIn(dir)) pages.set(path, await read(path))
  await verifyDirectory(dir, trust.keys, { name })
  for (const { files, hash: type } of [main, ...pages.values()])
    for (const [path, digest] of files)
      assert.is(digest, hash(readFileSync(join(dir, path)), type), path)
  return { main, pages }
}

/** The modules in a folder that still call `import()` or read `import.meta` themselves. */
export async function findUnwrapped(
  dir: string,
  except: readonly string[] = [],
): Promise<string[]> {
  await init()
  return filesIn(dir)
    .filter(
      (path) => /\.m?js$/.test(path) && !path.startsWith('signedimp-') && !except.includes(path),
    )
    .filter((path) => parse(textIn(dir, path))[0].some(({ type }) => /dynamic|meta/.test(type)))
}

/** What building gave: the folder, or the error with all that it says. */
export const outcomeOf = (building: Promise<unknown>): Promise<Error & { code?: string }> =>
  building.then(
    () => {
      throw new Error('the build did not fail')
    },
    (error: Error) => error,
  )

/**
 * The code of an error of ours, however a bundler wraps it: Rollup keeps `code` as its own "PLUGIN_ERROR", Rolldown
 * puts the message into its own.
 */
export const codeOf = (error: Error): string | undefined =>
  /ERR_SIGNEDIMP_\w+/.exec(error.message)?.[0]

/** Everything that a file or an error says, and what can be decoded from it. */
export function saysSecret(text: string, secrets: readonly string[]): boolean {
  const decoded = [...text.matchAll(/[\w+/-]{40,}={0,2}/g)].map(([run]) =>
    Buffer.from(run, 'base64').toString('latin1'),
  )
  return [text, ...decoded].some((one) => secrets.some((secret) => one.includes(secret)))
}
