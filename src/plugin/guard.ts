import { KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, resolve, type PlatformPath } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pemBlocks } from '../crypto/pem.js'
import { SignedImpError } from '../errors.js'
import { asPem, otherFormOf } from '../keys/form.js'
import { isPublicText } from '../keys/public.js'
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
    return isPublicText(readFileSync(file, 'latin1'))
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

/** Texts, one character a byte, of which each gives a key away: a piece of its file, as it is and in base64 at each of its three alignments. */
export async function findSecrets(key: unknown, root: string): Promise<string[]> {
  const text = await readText(key, root)
  const piece = pieceOf(text)
  if (piece === undefined || isPublicText(text)) return []
  const encoded = [0, 1, 2].map((at) =>
    Buffer.from(piece.slice(at, at + 36), 'latin1').toString('base64'),
  )
  return [piece, ...encoded]
}

/** What no other file has: a line of PEM, the secret number of a JWK, the end of what is binary. */
function pieceOf(text: string): string | undefined {
  const block = pemBlocks(text).find(({ label }) => label.endsWith('PRIVATE KEY'))
  if (block) return /[A-Za-z0-9+/]{40,}/.exec(block.text)?.[0]
  const form = otherFormOf(text)
  if (form === 'python') return /,\s*(\d{40,})L?\s*\)/.exec(text)?.[1]
  if (form === 'jwk') return /"d"\s*:\s*"([\w-]{40,})"/.exec(text)?.[1]
  return form === 'pkcs12' || asPem(text) !== text ? text.slice(-48) : undefined
}

async function readText(key: unknown, root: string): Promise<string> {
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
  const holds =
    typeof source === 'string'
      ? (secret: string) => source.includes(secret)
      : inBytes(Buffer.from(source.buffer, source.byteOffset, source.length))
  if (secrets.some(holds))
    throw new SignedImpError(
      'ERR_SIGNEDIMP_KEY_EXPOSED',
      'would publish the private key; find what imports, links or copies it',
      { path },
    )
}

const inBytes = (bytes: Buffer) => (secret: string) => bytes.includes(secret, 0, 'latin1')
