import { basename, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SignedImpError } from '../errors.js'
import type { Middleware } from './types.js'

/** The file of a key that is given as one, for keeping it out of everything. */
export function keyFileOf(key: unknown, root: string): string | undefined {
  if (key instanceof URL) return fileURLToPath(key)
  return typeof key === 'string' && !key.startsWith('-----BEGIN') ? resolve(root, key) : undefined
}

/** Answers 403 to whatever asks a dev or preview server for a file of the key's name, however it is spelled. */
export const denyKey =
  (file: string): Middleware =>
  (request, response, next) => {
    if (!asksFor(request.originalUrl ?? request.url ?? '', basename(file))) return next()
    response.statusCode = 403
    response.end('signedimp: private keys are not served')
  }

function asksFor(url: string, name: string): boolean {
  const wanted = name.toLowerCase()
  for (let text = url, before = ''; text !== before; before = text, text = decode(text))
    if (text.toLowerCase().includes(wanted)) return true
  return false
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/**
 * Refuses a module that is the key's file, under whatever query: its text would be in the output.
 * @throws SignedImpError `ERR_SIGNEDIMP_KEY_EXPOSED`
 */
export function refuseKeyModule(id: string, file: string): void {
  if (resolve(id.replace(/[?#].*$/s, '')) === file)
    throw new SignedImpError(
      'ERR_SIGNEDIMP_KEY_EXPOSED',
      'is the private key and is imported by the app; remove that import',
      { path: basename(file) },
    )
}

/**
 * Refuses a key whose file lies in a folder that is published.
 * @throws SignedImpError `ERR_SIGNEDIMP_KEY_EXPOSED`
 */
export function refuseKeyIn(folder: string, file: string): void {
  if (folder && file.startsWith(resolve(folder) + sep))
    throw new SignedImpError(
      'ERR_SIGNEDIMP_KEY_EXPOSED',
      `is in ${basename(folder)}, which is published; keep the private key elsewhere`,
      { path: basename(file) },
    )
}

/**
 * Refuses an output that holds a private key: the text between the lines of a PEM file that looks like one.
 * @throws SignedImpError `ERR_SIGNEDIMP_KEY_EXPOSED`
 */
export function refuseKeyText(path: string, text: string): void {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\\nr]*[A-Za-z0-9+/]{32}/.test(text))
    throw new SignedImpError(
      'ERR_SIGNEDIMP_KEY_EXPOSED',
      'holds a private key; find what imports or inlines it',
      { path },
    )
}
