import { createPrivateKey, type KeyObject } from 'node:crypto'
import { flatness, isCutShort, pemBlocks, type PemBlock } from '../crypto/pem.js'
import type { SignedImpError } from '../errors.js'
import { decryptPkcs8 } from './decrypt.js'
import { decode } from './der.js'
import { asPem, otherFormOf } from './form.js'
import { openJwk } from './jwk.js'
import { privateFromNumbers, readNumbers } from './numbers.js'
import { findPassword, type PasswordOptions } from './password.js'
import { pemBytes } from './pem.js'
import { openPkcs12 } from './pkcs12.js'
import { codeOf, damaged, doesNotOpen, refuseKey, unsupported, type Where } from './source.js'

/**
 * The private key in a file's text: PEM or DER of PKCS#8, PKCS#1, SEC1 or the old encrypted PEM; a JWK; PKCS#12;
 * the numbers of Python's signedimp.
 * @param text one character a byte
 * @throws {@link SignedImpError} `ERR_SIGNEDIMP_PASSWORD`, `ERR_SIGNEDIMP_KEY`
 */
export async function openPrivateKey(
  text: string,
  where: Where,
  options: PasswordOptions,
): Promise<KeyObject> {
  const form = otherFormOf(text)
  if (form === 'jwk') return openJwk(Buffer.from(text, 'latin1').toString(), where)
  if (form === 'python') return privateFromNumbers(readNumbers(text, where), where)
  if (form === 'pkcs12') return openStore(text, where, options)
  return openPem(asPem(text), where, options)
}

async function openStore(text: string, where: Where, options: PasswordOptions): Promise<KeyObject> {
  const password = await needPassword(where, options)
  const key = await openPkcs12(Buffer.from(text, 'latin1'), password, where)
  try {
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
  } catch {
    throw damaged(where)
  }
}

async function needPassword(where: Where, options: PasswordOptions): Promise<string> {
  const password = await findPassword(options)
  if (password === undefined) throw refuseKey(where, passwordNeeded, 'ERR_SIGNEDIMP_PASSWORD')
  return password
}

async function openPem(text: string, where: Where, options: PasswordOptions): Promise<KeyObject> {
  const block = findPrivateBlock(text, where)
  const encrypted = isEncrypted(block)
  if (encrypted && !isWhole(block)) throw damaged(where)
  const passphrase = encrypted ? await needPassword(where, options) : undefined
  try {
    return await open(block, passphrase)
  } catch (error) {
    throw explain(codeOf(error), encrypted, where)
  }
}

async function open(block: PemBlock, passphrase: string | undefined): Promise<KeyObject> {
  try {
    return createPrivateKey({
      key: block.text,
      format: 'pem',
      ...(passphrase !== undefined && { passphrase }),
    })
  } catch (error) {
    if (passphrase === undefined || codeOf(error) !== unknownDerivation) throw error
    const key = await decryptPkcs8(pemBytes(block), passphrase)
    if (!key) throw error
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
  }
}

/** What BoringSSL says of scrypt. */
const unknownDerivation = 'ERR_OSSL_UNSUPPORTED_KEY_DERIVATION_FUNCTION'

const passwordNeeded =
  'holds an encrypted key: give its password in the option "password", in SIGNEDIMP_PASSWORD or in the file that SIGNEDIMP_PASSWORD_FILE names'

/** The one private key among a file's blocks: EC keys come with their parameters, others with a certificate. */
function findPrivateBlock(text: string, where: Where): PemBlock {
  const blocks = pemBlocks(text)
  const keys = blocks.filter(({ label }) => label.endsWith('PRIVATE KEY'))
  if (isCutShort(text)) throw damaged(where)
  const problem = problemWith(keys, blocks)
  if (problem) throw refuseKey(where, problem)
  return keys[0]!
}

function problemWith([key, ...others]: PemBlock[], blocks: PemBlock[]): string | undefined {
  const found = blocks.map(({ label }) => label).join(', ')
  if (others.length) return `must hold one private key, but holds: ${found}`
  if (key?.label === 'OPENSSH PRIVATE KEY')
    return 'holds an OpenSSH key, which is not supported: ssh-keygen -p -m PKCS8 makes PKCS#8 of a copy of it'
  if (key) return flatness(key)
  return found.includes('PUBLIC KEY')
    ? 'holds a public key where a private key belongs: give the file without .pub'
    : `holds ${found || 'no key that is known'}: a private key belongs here, in PEM, DER, PKCS#12 or a JWK`
}

const isEncrypted = ({ label, text }: PemBlock): boolean =>
  label === 'ENCRYPTED PRIVATE KEY' || /^Proc-Type: *4,ENCRYPTED/m.test(text)

/** Whether an encrypted block is complete, so that what fails is the password and not the file: EncryptedPrivateKeyInfo (RFC 5958 §3), or whole blocks of a cipher. */
function isWhole(block: PemBlock): boolean {
  const bytes = pemBytes(block)
  if (block.label !== 'ENCRYPTED PRIVATE KEY') return bytes.length > 0 && bytes.length % 8 === 0
  try {
    const [info, ...rest] = decode(bytes)
    const [algorithm, data] = decode(info!.content)
    return rest.length === 0 && algorithm?.tag === 0x30 && data?.tag === 0x04
  } catch {
    return false
  }
}

// A wrong password gives a wrong padding, or one time in 256 a good one and then bytes that decode to nothing.
const wrongPassword = ['ERR_OSSL_BAD_DECRYPT', 'ERR_OSSL_EVP_BAD_DECRYPT', 'ERR_OSSL_UNSUPPORTED']

function explain(code: string, encrypted: boolean, where: Where): SignedImpError {
  if (!encrypted) return damaged(where)
  return wrongPassword.includes(code) ? doesNotOpen(where) : unsupported(where)
}
