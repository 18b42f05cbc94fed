/** Public keys as somebody gives them to a page or a program. */
import { algorithms } from './algorithms.js'
import { base64, fromBase64, type Bytes } from './bytes.js'
import type { TrustedKey } from './key.js'
import { findPublicBlock } from './pem.js'
import { readSpki, type ReadKey } from './spki.js'
import { SignedImpError } from '../errors.js'

/** A public key: its PEM text, its SubjectPublicKeyInfo in base64, or what `loadPublicKey` gives. */
export type PublicKey = string | TrustedKey

/** A key that could be read. */
export interface GivenKey extends Omit<TrustedKey, 'fingerprint'> {
  /** What it says of itself, if anything. */
  fingerprint?: string
  /** What the caller calls it, for messages. */
  option: string
}

/**
 * Reads a key. Messages never show it: it may be a private one, given by mistake.
 * @throws SignedImpError `ERR_SIGNEDIMP_KEY`
 * @throws TypeError on what is no key
 */
export function readKey(source: unknown, option: string): GivenKey {
  const text = isKeyObject(source) ? source.spki : source
  if (typeof text !== 'string' || text === '') throw noKey(option, source)
  const der = text.includes('-----BEGIN ') ? fromPem(text, option) : fromText(text, option)
  const read = readSpki(der)
  if (typeof read === 'string') throw refuseKey(option, read)
  return isKeyObject(source) ? recheck(source, read, option) : toGiven(read, option)
}

const isKeyObject = (source: unknown): source is TrustedKey =>
  typeof source === 'object' && source !== null && 'spki' in source

const toGiven = ({ scheme, spki }: ReadKey, option: string): GivenKey => ({
  scheme,
  algorithm: algorithms[scheme],
  spki: base64(spki),
  option,
})

/** What a key that was made elsewhere says of itself must be true, or it would be counted as another. */
function recheck({ spki, scheme, fingerprint }: TrustedKey, read: ReadKey, option: string) {
  const own = toGiven(read, option)
  const isPossible =
    Object.hasOwn(algorithms, scheme) && algorithms[scheme].name === own.algorithm.name
  if (!isPossible || own.spki !== spki || typeof fingerprint !== 'string') throw notItsOwn(option)
  return { ...own, scheme, algorithm: algorithms[scheme], fingerprint }
}

function fromPem(text: string, option: string): Bytes {
  const found = findPublicBlock(text)
  if (typeof found === 'string') throw refuseKey(option, found)
  const body = found.text.split(/\r?\n/).filter((line) => !/^-----|:/.test(line))
  return fromText(body.join('').replace(/\s/g, ''), option)
}

function fromText(text: string, option: string): Bytes {
  try {
    return fromBase64(text)
  } catch {
    throw refuseKey(option, 'holds neither a public key in PEM nor one in base64')
  }
}

/** A key that is not taken. It is named by what the caller calls it, and never shown. */
export const refuseKey = (option: string, reason: string, cause?: unknown): SignedImpError =>
  new SignedImpError('ERR_SIGNEDIMP_KEY', `"${option}" ${reason}`, { cause })

/** A key that another claims to be. */
export const notItsOwn = (option: string): SignedImpError =>
  refuseKey(option, 'is a key whose fingerprint, scheme or encoding is not its own')

const noKey = (option: string, value: unknown): TypeError =>
  new TypeError(
    `"${option}" must be a public key, as PEM, base64 or from loadPublicKey; it is ${value === '' ? 'an empty text' : value === null ? 'null' : typeof value}`,
  )
