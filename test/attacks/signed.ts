import { createPublicKey, type KeyObject } from 'node:crypto'
import type { TrustedKey, Verifier } from '../../src/crypto/key.ts'
import { nodeCrypto } from '../../src/crypto/node.ts'
import { generateKey, type KeyAlgorithm } from '../../src/keys/generate.ts'
import { loadSigner } from '../../src/keys/private.ts'
import { toTrustedKey } from '../../src/keys/public.ts'
import { signText, storeManifest, type Signer } from '../../src/manifest/sign.ts'
import { verifyManifest, type StoredSignature, type Trust } from '../../src/manifest/verify.ts'

// The seam has two sides, and both must say the same of every manifest.
Object.assign(globalThis, { __DER__: true })
const { webCrypto } = await import('../../src/crypto/webcrypto.ts')

/** The algorithms that keys can have. */
export const keyAlgorithms: readonly KeyAlgorithm[] = ['rsa-pss', 'ed25519', 'ecdsa-p256']

/** A publisher: a private key, its public half, and whoever signs with it. */
export interface Publisher {
  privateKey: KeyObject
  key: TrustedKey
  signer: Signer
}

/** A new publisher. */
export async function newPublisher(algorithm: KeyAlgorithm = 'ed25519'): Promise<Publisher> {
  const privateKey = await generateKey(algorithm)
  const signer = await loadSigner(privateKey)
  return { privateKey, key: toTrustedKey(createPublicKey(privateKey)), signer }
}

const known = new Map<KeyAlgorithm, Promise<Publisher>>()

/** The publisher that everybody in a test file trusts: made once, because RSA keys take long. */
export function knownPublisher(algorithm: KeyAlgorithm): Promise<Publisher> {
  const publisher = known.get(algorithm) ?? newPublisher(algorithm)
  known.set(algorithm, publisher)
  return publisher
}

/** Lines of an honest signed text; each part can be replaced. */
export function textOf(
  parts: {
    hash?: string
    directives?: string[]
    files?: string[]
  } = {},
): string {
  const {
    hash = 'sha256',
    directives = ['# signedimp: 1', '# name: shop'],
    files = [file('a.js')],
  } = parts
  return [hash, ...directives, ...files].join('\n')
}

/** A line of a file; its hash is anything. */
export const file = (path: string, digest: string = 'ab'.repeat(32)): string => `${digest} ${path}`

export const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)

/** Signatures of a text, as a manifest stores them. */
export const signaturesOf = (
  text: string,
  ...publishers: Publisher[]
): Promise<StoredSignature[]> =>
  Promise.all(publishers.map(({ signer }) => signText(bytesOf(text), signer)))

/** A stored manifest: a text with honest signatures. */
export const signed = async (text: string, ...publishers: Publisher[]): Promise<Uint8Array> =>
  storeManifest(await signaturesOf(text, ...publishers), bytesOf(text))

/** A stored manifest with a first part of the attacker's making. */
export const withHeader = (header: string, text: string): Uint8Array =>
  bytesOf(`${header}\n${text}`)

/** The line of a signature. */
export const lineOf = (fingerprint: string, scheme: string, signature: Uint8Array): string =>
  `${fingerprint} ${Buffer.concat([Buffer.from(`${scheme}:`), signature]).toString('base64')}\n`

/** What a reader says: `refused CODE` or `ok accepted`; an error if the two sides of the seam disagree, or on a raw error. */
export async function verdict(
  bytes: Uint8Array,
  trust: Partial<Trust> & { keys: readonly TrustedKey[] },
): Promise<string> {
  const [page, tools] = await Promise.all(
    [webCrypto, nodeCrypto].map((side) => judge(bytes, trust, side)),
  )
  if (page !== tools) throw new Error(`a page says "${page}", a tool says "${tools}"`)
  return page!
}

async function judge(
  bytes: Uint8Array,
  trust: Partial<Trust> & { keys: readonly TrustedKey[] },
  side: Verifier,
): Promise<string> {
  try {
    await verifyManifest(bytes, { threshold: 1, name: 'shop', ...trust }, side)
    return 'ok accepted'
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    if (!code?.startsWith('ERR_SIGNEDIMP_')) throw new Error(`a raw error: ${message}`)
    return `refused ${code}`
  }
}

/** The code that an attack must end with, else it succeeded. */
export function expect(outcome: string, code: string): string {
  if (outcome !== `refused ERR_SIGNEDIMP_${code}`)
    throw new Error(`expected ERR_SIGNEDIMP_${code}, but: ${outcome}`)
  return outcome
}
