import { readFile } from 'node:fs/promises'
import { isAbsolute, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SignedImpError } from '../errors.js'

/** Where a key came from, in words for messages. Never the key. */
export interface Where {
  /** The name of the option or argument that held it. */
  option: string
  /** The file, as it was given. */
  file?: string
}

/** A refused key or password: what was found, and what to do. OpenSSL's own errors stay out of it: they say nothing to a reader. */
export function refuseKey(
  { option, file }: Where,
  reason: string,
  code: 'ERR_SIGNEDIMP_KEY' | 'ERR_SIGNEDIMP_PASSWORD' = 'ERR_SIGNEDIMP_KEY',
): SignedImpError {
  return file === undefined
    ? new SignedImpError(code, `"${option}" ${reason}`)
    : new SignedImpError(code, reason, { path: file })
}

/** What a wrong password leads to; a damaged file looks the same. */
export const doesNotOpen = (where: Where): SignedImpError =>
  refuseKey(
    where,
    'does not open with the password that was given (or it is damaged)',
    'ERR_SIGNEDIMP_PASSWORD',
  )

/** A file that is encrypted in a way that nothing here can open. */
export const unsupported = (where: Where): SignedImpError =>
  refuseKey(
    where,
    'is encrypted in a way that is not supported, or damaged: encrypt it anew with openssl pkcs8 -topk8',
  )

/** What has the right beginning and holds no key. */
export const damaged = (where: Where): SignedImpError =>
  refuseKey(where, 'holds a private key that cannot be read: it is damaged, or of an unknown kind')

/** A caller's mistake. Says what kind of value came, and nothing of its content: it may be a key. */
export function wrongType(option: string, expected: string, value: unknown): TypeError {
  const hint = value === undefined || value === '' ? ' (is an environment variable not set?)' : ''
  return new TypeError(`"${option}" must be ${expected}, not ${kindOf(value)}${hint}`)
}

const kindOf = (value: unknown): string =>
  value === null
    ? 'null'
    : value === ''
      ? 'an empty string'
      : Array.isArray(value)
        ? 'an array'
        : typeof value

/** Whether a key was given as text and not as the name of its file; words may stand before the first line (RFC 7468 §2). */
export const isPem = (source: unknown): source is string =>
  typeof source === 'string' && source.includes('-----BEGIN ')

/** Whether a text is a PEM text in base64, as some keep it in a variable. It may be a private key, so that it is never shown. */
const isEncodedPem = (source: unknown): boolean =>
  typeof source === 'string' && Buffer.from(source, 'base64').includes('-----BEGIN ')

const encoded =
  'is a PEM text in base64: decode it first; a PEM text (line breaks may be written as \\n), its file or its URL is accepted'

/**
 * The text of a key file, or the text itself where PEM was given instead of a file.
 * @param expected what belongs in `option`, for the message about anything else
 */
export async function readSource(
  source: unknown,
  expected: string,
  option: string,
  cwd: string = process.cwd(),
): Promise<{ text: string; where: Where }> {
  if (!source || !(typeof source === 'string' || source instanceof URL))
    throw wrongType(option, expected, source)
  if (source instanceof URL && source.protocol !== 'file:')
    throw new TypeError(`"${option}" must be a file: URL, not ${source.protocol}`)
  if (isPem(source)) return { text: source, where: { option } }
  if (isEncodedPem(source)) throw refuseKey({ option }, encoded)
  const file = source instanceof URL ? fileURLToPath(source) : source
  const where = isPathLike(file) ? { option, file } : { option }
  try {
    return { text: await readFile(resolve(cwd, file), 'latin1'), where }
  } catch (error) {
    const subject = where.file === undefined ? 'names a file that ' : ''
    const from = where.file === undefined || isAbsolute(file) ? '' : ` from ${cwd}`
    throw refuseKey(where, `${subject}cannot be read${from} (${codeOf(error)})`)
  }
}

/** An error's code, in place of its message: Node's messages repeat the path, which may be a key pasted by mistake. */
export const codeOf = (error: unknown): string =>
  String((error as { code?: unknown })?.code ?? 'unknown error')

/** Whether a text may be shown as a path. Key material that was given by mistake is JSON, or base64 of DER, which begins with M. */
const isPathLike = (text: string): boolean =>
  text.length < 1024 && !/[\r\n\0{}"]/.test(text) && !/^M[\w+/=-]{40,}$/.test(text)
