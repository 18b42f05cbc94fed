import { KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, resolve, type PlatformPath } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pemBlocks } from '../crypto/pem.js'
import { SignedImpError } from '../errors.js'
import { isPublicPem } from '../keys/public.js'
import { isPem } from '../keys/source.js'
import { isInside, isSameFile } from '../tree/system-path.js'
import { escapeRegExp } from './escape-reg-exp.js'
import type { Middleware } from './types.js'

/** The file of a key that is given as one, for keeping it out of everything. */
export function keyFileOf(key: unknown, root: string): string | undefined {
  if (key instanceof URL) return key.protocol === 'file:' ? fileURLToPath(key) : undefined
  return typeof key === 'string' && !isPem(key) ? resolve(root, key) : undefined
}

/** Whether a file holds a public key, which everybody may have. One that cannot be read may be the private one. */
function isPublicFile(file: string): boolean {
  try {
    return isPublicPem(readFileSync(file, 'latin1'))
  } catch {
    return false
  }
}

/** What the ids of modules look like that may be the key's file. */
export const keyPattern = (key: unknown): RegExp => {
  const file = keyFileOf(key, '/')
  return file === undefined ? /^\0never$/ : new RegExp(escapeRegExp(basename(file)), 'i')
}

/** The same as esbuild reads it. */
export const keyFilter = (file: string): RegExp => new RegExp(toGo(basename(file)), 'i')

/** Matches what ends like one of some names, as esbuild reads it. */
export const endFilter = (names: readonly string[]): RegExp =>
  names.length === 0 ? /^never$/ : new RegExp(`(${names.map(toGo).join('|')})$`)

/** A pattern of Go, which has other rules than ours: whatever may have a meaning there is any character. */
const toGo = (text: string): string => text.replace(/[^\w]/gu, '.')

/** Answers 403 to whatever asks a dev server for a file of the key's name, however it is spelled. */
export const denyKey =
  (file: string): Middleware =>
  (request, response, next) => {
    const url = request.originalUrl ?? request.url ?? ''
    if (!asksFor(url, basename(file)) || isPublicFile(file)) return next()
    response.statusCode = 403
    response.end('signedimp: private keys are not served')
  }

function asksFor(url: string, name: string): boolean {
  // As bytes: what is decoded escape by escape is UTF-8 that nobody has put together yet.
  const bytes = Buffer.from(name).toString('latin1')
  // A whole segment; Windows takes no notice of dots and spaces behind it.
  const wanted = new RegExp(`(^|[/\\\\=])${escapeRegExp(bytes)}[. ]*($|[?#&:/\\\\])`, 'i')
  for (let text = Buffer.from(url).toString('latin1'), before = ''; text !== before;) {
    if (wanted.test(text)) return true
    before = text
    text = text.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)))
  }
  return false
}

/**
 * Refuses a module that is the key's file, under whatever query: its text would be in the output.
 * @throws SignedImpError `ERR_SIGNEDIMP_KEY_EXPOSED`
 */
export function refuseKeyModule(id: string, file: string): void {
  if (isModuleOf(id, file) && !isPublicFile(file))
    throw new SignedImpError(
      'ERR_SIGNEDIMP_KEY_EXPOSED',
      'is the private key and is imported by the app; remove that import',
      { path: basename(file) },
    )
}

/** Whether a module's id is a file with or without a query; folders may have these characters in their names, too. */
export const isModuleOf = (id: string, file: string, system?: PlatformPath): boolean =>
  [...id.matchAll(/[?#]|$/g)].some(({ index }) => isSameFile(id.slice(0, index), file, system))

/**
 * Refuses a key whose file lies in a folder that is published.
 * @throws SignedImpError `ERR_SIGNEDIMP_KEY_EXPOSED`
 */
export function refuseKeyIn(folder: string, file: string): void {
  if (isInside(folder, file) && !isPublicFile(file))
    throw new SignedImpError(
      'ERR_SIGNEDIMP_KEY_EXPOSED',
      `is in ${basename(folder)}, which is published; keep the private key elsewhere`,
      { path: basename(file) },
    )
}

/** Texts of which each gives a key away: a line of its PEM, as it is and in base64 at each of its three alignments. */
export async function findSecrets(key: unknown, root: string): Promise<string[]> {
  const block = pemBlocks(await readPem(key, root)).find(({ label }) =>
    label.endsWith('PRIVATE KEY'),
  )
  const [line] = block?.text.match(/[A-Za-z0-9+/]{40,}/) ?? []
  if (line === undefined) return []
  const encoded = [0, 1, 2].map((at) => Buffer.from(line.slice(at, at + 36)).toString('base64'))
  return [line, ...encoded]
}

async function readPem(key: unknown, root: string): Promise<string> {
  const file = keyFileOf(key, root)
  if (file !== undefined) return readFile(file, 'latin1')
  if (key instanceof KeyObject && key.type === 'private')
    return key.export({ type: 'pkcs8', format: 'pem' }).toString()
  return isPem(key) ? key : ''
}

/**
 * Refuses a file that holds the private key.
 * @throws SignedImpError `ERR_SIGNEDIMP_KEY_EXPOSED`
 */
export function refuseSecrets(path: string, source: string | Uint8Array, secrets: string[]): void {
  const content =
    typeof source === 'string'
      ? source
      : Buffer.from(source.buffer, source.byteOffset, source.length)
  if (secrets.some((secret) => content.includes(secret)))
    throw new SignedImpError(
      'ERR_SIGNEDIMP_KEY_EXPOSED',
      'would publish the private key; find what imports, links or copies it',
      { path },
    )
}
