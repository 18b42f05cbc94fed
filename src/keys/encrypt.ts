import { createCipheriv, pbkdf2, randomBytes, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { identifier, integer, nothing, octets, sequence } from './der.js'

/** How a password becomes a cipher's key. */
export const derivationNames = ['scrypt', 'pbkdf2'] as const
export type Derivation = (typeof derivationNames)[number]

const byScrypt = promisify<string, Buffer, number, { N: number; r: number; p: number }, Buffer>(
  scrypt,
)
const byPbkdf2 = promisify(pbkdf2)

// The most that OpenSSL and Node read without being given more memory.
const cost = { N: 16384, r: 8, p: 1 }

/** What OWASP's Password Storage Cheat Sheet asks of HMAC-SHA-256; export() of node:crypto has only 2048. */
const rounds = 600_000

/** Each gives the key and how it came about, as PBES2 says it (RFC 7914 §7, RFC 8018 §A.2). */
const derivations: Record<Derivation, (password: string) => Promise<[key: Buffer, kdf: Buffer]>> = {
  async scrypt(password) {
    const salt = randomBytes(16)
    const numbers = [cost.N, cost.r, cost.p].map((number) => integer(BigInt(number)))
    const kdf = sequence(identifier('1.3.6.1.4.1.11591.4.11'), sequence(octets(salt), ...numbers))
    return [await byScrypt(password, salt, 32, cost), kdf]
  },
  async pbkdf2(password) {
    const salt = randomBytes(16)
    const hmac = sequence(identifier('1.2.840.113549.2.9'), nothing)
    const parameters = sequence(octets(salt), integer(BigInt(rounds)), hmac)
    const kdf = sequence(identifier('1.2.840.113549.1.5.12'), parameters)
    return [await byPbkdf2(password, salt, rounds, 32, 'sha256'), kdf]
  },
}

/** EncryptedPrivateKeyInfo (RFC 5958 §3) of a PKCS#8 key: PBES2 (RFC 8018 §6.2) with AES-256-CBC. */
export async function encryptPkcs8(
  pkcs8: Uint8Array,
  password: string,
  derivation: Derivation = 'scrypt',
): Promise<Buffer> {
  const [key, kdf] = await derivations[derivation](password)
  const iv = randomBytes(16)
  const cipher = createCipheriv('aes-256-cbc', key, iv)
  const encrypted = Buffer.concat([cipher.update(pkcs8), cipher.final()])
  const encryption = sequence(identifier('2.16.840.1.101.3.4.1.42'), octets(iv))
  const pbes2 = sequence(identifier('1.2.840.113549.1.5.13'), sequence(kdf, encryption))
  return sequence(pbes2, octets(encrypted))
}
