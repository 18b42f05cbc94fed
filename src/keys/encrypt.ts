import { createCipheriv, randomBytes, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { identifier, integer, octets, sequence } from './der.js'

const deriveKey = promisify<string, Buffer, number, { N: number; r: number; p: number }, Buffer>(
  scrypt,
)

// The most that OpenSSL and Node read without being given more memory; export() of node:crypto has only 2048 rounds of PBKDF2.
const cost = { N: 16384, r: 8, p: 1 }

/** EncryptedPrivateKeyInfo (RFC 5958 §3) of a PKCS#8 key: PBES2 (RFC 8018 §6.2), scrypt (RFC 7914 §7), AES-256-CBC. */
export async function encryptPkcs8(pkcs8: Uint8Array, password: string): Promise<Buffer> {
  const salt = randomBytes(16)
  const iv = randomBytes(16)
  const cipher = createCipheriv('aes-256-cbc', await deriveKey(password, salt, 32, cost), iv)
  const encrypted = Buffer.concat([cipher.update(pkcs8), cipher.final()])
  const numbers = [cost.N, cost.r, cost.p].map((number) => integer(BigInt(number)))
  const kdf = sequence(identifier('1.3.6.1.4.1.11591.4.11'), sequence(octets(salt), ...numbers))
  const encryption = sequence(identifier('2.16.840.1.101.3.4.1.42'), octets(iv))
  const pbes2 = sequence(identifier('1.2.840.113549.1.5.13'), sequence(kdf, encryption))
  return sequence(pbes2, octets(encrypted))
}
