import type { pkcs12 } from 'node-forge'
import { SignedImpError } from '../errors.js'
import { doesNotOpen, refuseKey, unsupported, type Where } from './source.js'

type Forge = typeof import('node-forge')

/**
 * The private key in a PKCS#12 file (RFC 7292), as PKCS#8. Node opens none, and OpenSSL 3 not those of older tools, whose
 * ciphers it has given up; forge opens both, and is loaded only here.
 * @throws {@link SignedImpError} `ERR_SIGNEDIMP_PASSWORD`, `ERR_SIGNEDIMP_KEY`
 */
export async function openPkcs12(file: Buffer, password: string, where: Where): Promise<Buffer> {
  const { default: forge } = await import('node-forge')
  const [bag, ...others] = keysOf(open(forge, file, password, where), forge)
  if (!bag) throw refuseKey(where, 'is a PKCS#12 file without a private key')
  if (others.length > 0)
    throw refuseKey(where, `must hold one private key, but holds ${others.length + 1} in PKCS#12`)
  const { asn1, pki } = forge
  // Forge knows the numbers of RSA keys only, and leaves others as they are.
  const info = bag.key ? pki.wrapRsaPrivateKey(pki.privateKeyToAsn1(bag.key)) : bag.asn1
  return Buffer.from(asn1.toDer(info).getBytes(), 'latin1')
}

const keysOf = (pfx: pkcs12.Pkcs12Pfx, { pki }: Forge): pkcs12.Bag[] =>
  ['pkcs8ShroudedKeyBag', 'keyBag'].flatMap((name) => {
    const bagType = pki.oids[name]!
    return pfx.getBags({ bagType })[bagType] ?? []
  })

/**
 * Forge hands a password to all ciphers as it is given. The file's MAC and its older ciphers take UTF-16 of it (RFC 7292
 * §B.1), the newer ones UTF-8. So where a password has other characters than ASCII and is right by the MAC, but then opens
 * nothing, it is spelled in UTF-8; the MAC, which would not be right by that, has been checked.
 */
function open(
  { asn1, pkcs12, util }: Forge,
  file: Buffer,
  password: string,
  where: Where,
): pkcs12.Pkcs12Pfx {
  const read = () => asn1.fromDer(util.createBuffer(file.toString('latin1')))
  const spelled = Buffer.from(password).toString('latin1')
  try {
    return pkcs12.pkcs12FromAsn1(read(), password)
  } catch (error) {
    if (spelled === password || !hasRightMac(error)) throw refusalOf(error, where)
  }
  try {
    return pkcs12.pkcs12FromAsn1(withoutMac(read()), spelled)
  } catch (error) {
    throw refusalOf(error, where)
  }
}

/** A PFX has its version, its content, and its MAC where it has one. */
function withoutMac<T extends { value: unknown }>(pfx: T): T {
  return { ...pfx, value: (pfx.value as unknown[]).slice(0, 2) }
}

const hasRightMac = (error: unknown): boolean => !/MAC|PFX/.test(String(error))

/** Forge's own words stay out of it; what it does not know it says, and anything else is what a wrong password leads to. */
const refusalOf = (error: unknown, where: Where): SignedImpError =>
  /support|unknown|integrity mode|not an PKCS/i.test(String(error))
    ? unsupported(where)
    : doesNotOpen(where)
