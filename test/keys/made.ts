import type { KeyObject } from 'node:crypto'
import type { TrustedKey } from '../../src/crypto/key.ts'
import { generateKey, type KeyAlgorithm } from '../../src/keys/generate.ts'
import { toTrustedKey } from '../../src/keys/public.ts'
import { loadSigner } from '../../src/keys/private.ts'
import type { Signer } from '../../src/manifest/sign.ts'

/** Every kind of key. */
export const kinds: readonly KeyAlgorithm[] = ['rsa-pss', 'ed25519', 'ecdsa-p256']

const made = new Map<KeyAlgorithm, Promise<KeyObject>>()

/** A private key that is made once a process: an RSA key takes seconds. Never the same in two runs, and never on disk. */
export function madeKey(kind: KeyAlgorithm): Promise<KeyObject> {
  const key = made.get(kind) ?? generateKey(kind)
  made.set(kind, key)
  return key
}

/** The public half of {@link madeKey}. */
export const madePublic = async (kind: KeyAlgorithm): Promise<TrustedKey> =>
  toTrustedKey(await madeKey(kind))

/** A signer with {@link madeKey}. */
export const madeSigner = async (kind: KeyAlgorithm): Promise<Signer> =>
  loadSigner(await madeKey(kind))
