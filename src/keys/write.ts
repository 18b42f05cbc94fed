import { createPublicKey, type KeyObject } from 'node:crypto'
import { fromBase64 } from '../crypto/bytes.js'
import type { TrustedKey } from '../crypto/key.js'
import { encryptPkcs8, type Derivation } from './encrypt.js'
import { jwkAlgorithms } from './jwk.js'
import { formatNumbers, numbersOf } from './numbers.js'
import { toPem } from './pem.js'
import { publicKeyPem, toTrustedKey } from './public.js'
import { plainRsa, spkiWithScheme } from './rsa.js'
import { wrongType } from './source.js'

/** What a private key can be written as; a public one `pem`, `der`, `jwk` or `python`. */
export const keyForms = ['pem', 'der', 'pkcs1', 'sec1', 'jwk', 'python'] as const
export type KeyForm = (typeof keyForms)[number]

/** How to write a private key. */
export interface WriteOptions {
  /** Null leaves the key unencrypted; there is no default, so that nobody does so by accident. */
  password: string | null
  /** @default 'scrypt' */
  derivation?: Derivation | undefined
}

/** Whether a form has an encryption that anybody should use. */
export const takesPassword = (form: KeyForm): boolean => form === 'pem' || form === 'der'

/**
 * A private key as the content of a file.
 * @throws TypeError where the form does not fit the kind of key, or knows no password
 */
export async function formatPrivateKey(
  key: KeyObject,
  form: KeyForm,
  { password, derivation }: WriteOptions,
): Promise<string | Buffer> {
  checkPassword(password)
  if (password !== null && !takesPassword(form))
    throw new TypeError(`a key as ${form} cannot have a password: write it as pem or der`)
  if (form === 'jwk') return jwkText(key, toTrustedKey(key))
  if (form === 'python') return formatNumbers(numbersOf(key)) + '\n'
  if (form === 'pkcs1' || form === 'sec1') return oldPem(key, form)
  const pkcs8 = key.export({ type: 'pkcs8', format: 'der' })
  const der = password === null ? pkcs8 : await encryptPkcs8(pkcs8, password, derivation)
  if (form === 'der') return der
  return toPem(password === null ? 'PRIVATE KEY' : 'ENCRYPTED PRIVATE KEY', der)
}

/**
 * A public key as the content of a file.
 * @throws TypeError on a form that is for private keys only
 */
export function formatPublicKey(key: TrustedKey, form: KeyForm): string | Buffer {
  if (form === 'pem') return publicKeyPem(key)
  const spki = fromBase64(key.spki)
  if (form === 'der') return spkiWithScheme(spki, key.scheme)
  const plain = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  if (form === 'jwk') return jwkText(plain, key)
  if (form === 'python') return formatNumbers(numbersOf(plain)) + '\n'
  throw new TypeError(`a public key can be pem, der, jwk or python, not ${form}`)
}

/** A JSON Web Key that says what it is for. */
function jwkText(key: KeyObject, { scheme }: TrustedKey): string {
  const jwk = plainRsa(key).export({ format: 'jwk' })
  return JSON.stringify({ ...jwk, alg: jwkAlgorithms[scheme], use: 'sig' }, null, 2) + '\n'
}

function oldPem(key: KeyObject, type: 'pkcs1' | 'sec1'): string {
  const plain = plainRsa(key)
  const wanted = type === 'pkcs1' ? 'rsa' : 'ec'
  if (plain.asymmetricKeyType !== wanted)
    throw new TypeError(`${type} is a form of ${wanted.toUpperCase()} keys, and this is none`)
  return String(plain.export({ type: type as 'pkcs1', format: 'pem' }))
}

// What OpenSSL reads: a key with a longer one could never be opened again.
const longestPassword = 1024

function checkPassword(password: unknown): void {
  if (password === null) return
  if (!password || typeof password !== 'string')
    throw wrongType('password', 'a string, or null for a key without one', password)
  if (Buffer.byteLength(password) > longestPassword)
    throw new TypeError(`"password" must have at most ${longestPassword} bytes`)
}
