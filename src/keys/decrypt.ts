import { createDecipheriv, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { decode, identifier, type Element } from './der.js'

const deriveKey = promisify<string, Buffer, number, { N: number; r: number; p: number }, Buffer>(
  scrypt,
)

/**
 * Opens what `keygen` and `openssl pkcs8 -scrypt` encrypt, where node:crypto cannot: in Bun, whose BoringSSL knows no
 * scrypt in key files.
 * @returns the PKCS#8 key, or undefined when it is encrypted in another way
 * @throws what node:crypto throws on a wrong password
 */
export async function decryptPkcs8(
  info: Uint8Array,
  password: string,
): Promise<Buffer | undefined> {
  const parts = split(info)
  if (!parts) return undefined
  const [salt, cost, iv, encrypted] = parts
  const decipher = createDecipheriv('aes-256-cbc', await deriveKey(password, salt, 32, cost), iv)
  const pkcs8 = Buffer.concat([decipher.update(encrypted), decipher.final()])
  // One time in 256 a wrong password gives a good padding.
  if (isSequence(pkcs8)) return pkcs8
  throw Object.assign(new Error('bad decrypt'), { code: 'ERR_OSSL_BAD_DECRYPT' })
}

/** What {@link encryptPkcs8} puts together. */
function split(info: Uint8Array) {
  const [pbes2, encrypted] = decode(decode(info)[0]!.content)
  const [scheme, parameters] = decode(pbes2!.content)
  if (!isIdentifier(scheme!, '1.2.840.113549.1.5.13')) return undefined
  const [kdf, encryption] = decode(parameters!.content)
  const [derivation, costs] = decode(kdf!.content)
  const [cipher, iv] = decode(encryption!.content)
  if (!isIdentifier(derivation!, '1.3.6.1.4.1.11591.4.11')) return undefined
  if (!isIdentifier(cipher!, '2.16.840.1.101.3.4.1.42')) return undefined
  const [salt, N, r, p] = decode(costs!.content)
  const cost = { N: toNumber(N!), r: toNumber(r!), p: toNumber(p!) }
  return [salt!.content, cost, iv!.content, encrypted!.content] as const
}

const isIdentifier = ({ tag, content }: Element, text: string): boolean =>
  tag === 0x06 && content.equals(decode(identifier(text))[0]!.content)

const toNumber = ({ content }: Element): number => Number('0x' + content.toString('hex'))

function isSequence(der: Uint8Array): boolean {
  try {
    const elements = decode(der)
    return elements.length === 1 && elements[0]!.tag === 0x30
  } catch {
    return false
  }
}
