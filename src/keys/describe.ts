import { pemBlocks, type PemBlock } from '../crypto/pem.js'
import { decode, identifier, type Element } from './der.js'
import { asPem, otherFormOf } from './form.js'
import { pemBytes } from './pem.js'

/** What a key file looks like, without opening it. */
export interface KeyFile {
  /** Such as `PKCS#8 in PEM`. */
  form: string
  /** Such as `scrypt, N = 16384`; undefined where it is not encrypted, or in a key store. */
  encryption?: string
}

const names: Record<string, string> = {
  'PRIVATE KEY': 'PKCS#8',
  'ENCRYPTED PRIVATE KEY': 'PKCS#8',
  'RSA PRIVATE KEY': 'PKCS#1',
  'EC PRIVATE KEY': 'SEC1',
  'PUBLIC KEY': 'SubjectPublicKeyInfo',
  CERTIFICATE: 'X.509 certificate',
}

/** Describes the text of a file that is known to hold a key. */
export function describeKeyFile(text: string): KeyFile {
  const form = otherFormOf(text)
  if (form === 'jwk') return { form: 'JWK' }
  if (form === 'python') return { form: 'numbers of Python' }
  if (form === 'pkcs12') return { form: 'PKCS#12' }
  const blocks = pemBlocks(asPem(text)).filter(({ label }) => label in names)
  const block = blocks.find(({ label }) => label.endsWith('PRIVATE KEY')) ?? blocks[0]!
  const encryption = encryptionOf(block)
  const where = text.includes('-----BEGIN ') ? 'PEM' : 'DER'
  return { form: `${names[block.label]} in ${where}`, ...(encryption && { encryption }) }
}

function encryptionOf(block: PemBlock): string | undefined {
  const old = /^DEK-Info: *([\w-]+)/m.exec(block.text)
  if (old) return `the old way of PEM, one round of MD5, ${old[1]}`
  return block.label === 'ENCRYPTED PRIVATE KEY' ? derivationOf(pemBytes(block)) : undefined
}

/** How PBES2 makes its key of the password (RFC 8018 §A.4), and at what cost. */
function derivationOf(info: Buffer): string {
  const [scheme, parameters] = inside(inside(decode(info)[0])[0])
  if (!is(scheme, '1.2.840.113549.1.5.13')) return 'a scheme before PBES2'
  const [derivation, costs] = inside(inside(parameters)[0])
  const [, first, second] = inside(costs)
  if (is(derivation, '1.3.6.1.4.1.11591.4.11'))
    return `scrypt, N = ${number(first)}, r = ${number(second)}`
  return `PBKDF2 with ${number(first)} rounds`
}

const inside = (element: Element | undefined): Element[] => decode(element?.content ?? Buffer.of())

const is = (element: Element | undefined, text: string): boolean =>
  element?.content.equals(decode(identifier(text))[0]!.content) === true

const number = (element: Element | undefined): number =>
  parseInt(element?.content.toString('hex') ?? '', 16)
