import { createPublicKey, KeyObject, X509Certificate } from 'node:crypto'
import { algorithms } from '../crypto/algorithms.js'
import { fromBase64 } from '../crypto/bytes.js'
import type { TrustedKey } from '../crypto/key.js'
import { findPublicBlock, pemBlocks } from '../crypto/pem.js'
import { asPem, otherFormOf } from './form.js'
import { isPublicJwk, readPublicJwk } from './jwk.js'
import { publicFromNumbers, readNumbers } from './numbers.js'
import { toPem } from './pem.js'
import { spkiWithScheme } from './rsa.js'
import { readSource, refuseKey, type Where } from './source.js'
import { trust } from './trust.js'

/** A public key: a file (PEM, DER, a JWK or an X.509 certificate), its PEM text, or a key in memory. */
export type PublicKeySource = string | URL | KeyObject | TrustedKey

/**
 * Reads a public key. Of a private `KeyObject` it takes the public half; a private key's file is a mistake.
 * @param options `option` is what the caller calls the source, for messages.
 * @throws {@link SignedImpError} `ERR_SIGNEDIMP_KEY` on a private key's file, a damaged, weak or unsupported key
 * @throws TypeError on anything that is no key
 */
export async function loadPublicKey(
  source: PublicKeySource,
  options: { cwd?: string; option?: string } = {},
): Promise<TrustedKey> {
  const { cwd, option = 'publicKey' } = options
  if (source instanceof KeyObject) return trust(source, { option })
  if (isTrustedKey(source)) return recheck(source, { option })
  const expected = 'a public key: a file, a URL, PEM text or a KeyObject'
  const { text, where } = await readSource(source, expected, option, cwd)
  return trust(readPublicText(text, where), where)
}

/**
 * Whether a source is a public key, and nobody who could sign.
 * @throws {@link SignedImpError} `ERR_SIGNEDIMP_KEY` on a file that cannot be read
 */
export async function isPublicKey(source: unknown, cwd?: string): Promise<boolean> {
  if (source instanceof KeyObject) return source.type === 'public'
  if (typeof source !== 'string' && !(source instanceof URL)) return false
  const { text } = await readSource(source, 'a key: a file, a URL or PEM text', 'key', cwd)
  return isPublicText(text)
}

/** Whether a file's text has a public key, and no private one: that would be what to sign with. */
export function isPublicText(text: string): boolean {
  const form = otherFormOf(text)
  if (form === 'jwk') return isPublicJwk(text)
  if (form === 'python') return !/,[^,]*,/.test(text)
  const labels = pemBlocks(asPem(text)).map(({ label }) => label)
  const isPublic = labels.includes('PUBLIC KEY') || labels.includes('CERTIFICATE')
  return isPublic && !text.includes('PRIVATE KEY')
}

/** The public half of a key as manifests count it. @throws {@link SignedImpError} `ERR_SIGNEDIMP_KEY` on a weak or unsupported key */
export const toTrustedKey = (key: KeyObject): TrustedKey => trust(key, { option: 'key' })

/** A public key as the text of a `.pub` file. */
export function publicKeyPem({ scheme, spki }: TrustedKey): string {
  return toPem('PUBLIC KEY', spkiWithScheme(fromBase64(spki), scheme))
}

/**
 * The key in a file's text, strong enough or not: Node alone would also take a private key.
 * @throws {@link SignedImpError} `ERR_SIGNEDIMP_KEY`
 */
export function readPublicText(text: string, where: Where): KeyObject {
  const form = otherFormOf(text)
  if (form === 'jwk') return readPublicJwk(text, where)
  if (form === 'python') return publicFromNumbers(readNumbers(text, where), where)
  if (form === 'pkcs12')
    throw refuseKey(where, 'is a PKCS#12 file, where a public key belongs: give its certificate')
  const pem = asPem(text)
  const blocks = pemBlocks(pem)
  if (blocks.length === 1 && blocks[0]!.label === 'CERTIFICATE')
    return keyOfCertificate(blocks[0]!.text, where)
  const found = findPublicBlock(pem)
  if (typeof found === 'string') throw refuseKey(where, found)
  return parseSpki(found.text, where)
}

/** Only its key is taken: who issued a certificate and how long it is good for mean nothing here. */
function keyOfCertificate(pem: string, where: Where): KeyObject {
  try {
    return new X509Certificate(pem).publicKey
  } catch {
    throw refuseKey(
      where,
      'holds a certificate that is damaged, or whose key is of an unsupported kind',
    )
  }
}

function parseSpki(pem: string, where: Where): KeyObject {
  try {
    return createPublicKey({ key: pem, format: 'pem', type: 'spki' })
  } catch {
    throw refuseKey(where, 'holds a public key that is damaged, or of an unsupported kind')
  }
}

const isTrustedKey = (source: unknown): source is TrustedKey =>
  typeof source === 'object' && source !== null && 'spki' in source && 'fingerprint' in source

/** A key that was handed in ready-made: what it says of itself must be true, or it would be counted as another. */
function recheck({ spki, fingerprint, scheme }: TrustedKey, where: Where): TrustedKey {
  const key = trust(parseSpki(toPem('PUBLIC KEY', Buffer.from(spki, 'base64')), where), where)
  const possible = algorithms[scheme]?.name === key.algorithm.name
  if (!possible || key.spki !== spki || key.fingerprint !== fingerprint)
    throw refuseKey(where, 'is a key whose fingerprint, scheme or encoding is not its own')
  return { ...key, scheme, algorithm: algorithms[scheme] }
}
