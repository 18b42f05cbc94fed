import { KeyObject } from 'node:crypto'
import type { TrustedKey } from '../crypto/key.js'
import { nodeCrypto, signWith } from '../crypto/node.js'
import type { Signer } from '../manifest/sign.js'
import { derFromRaw } from './der.js'
import { openPrivateKey } from './open.js'
import type { PasswordOptions } from './password.js'
import { loadPublicKey, type PublicKeySource } from './public.js'
import { readSource, refuseKey, wrongType, type Where } from './source.js'
import { trust } from './trust.js'

export type { Password } from './password.js'

/** Somebody who signs and keeps the key: an HSM, a KMS, an agent. */
export interface SignerObject {
  publicKey: PublicKeySource
  /** The raw signature of `bytes` by the scheme of `publicKey`; ECDSA may be DER or r || s. */
  sign(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>
}

/** How to read a {@link KeySource}. */
export interface LoadOptions extends Omit<PasswordOptions, 'cwd' | 'variable'> {
  /** What a relative path of the key is relative to. @default process.cwd() */
  cwd?: string
  /** What the caller calls the source, for messages. @default 'key' */
  option?: string
}

/** A private key: a file of any form that {@link openPrivateKey} reads, its PEM text, a key in memory; or somebody who has it. */
export type KeySource = string | URL | KeyObject | SignerObject

/**
 * Makes a signer of a private key. Each signature is verified before it is handed out.
 * @throws {@link SignedImpError} `ERR_SIGNEDIMP_KEY`, `ERR_SIGNEDIMP_PASSWORD`
 * @throws TypeError on anything that is no key: an unset variable must not look like "no key wanted"
 */
export async function loadSigner(source: KeySource, options: LoadOptions = {}): Promise<Signer> {
  // Not the password's file: who sets a variable means a path from where they are.
  const { option = 'key', cwd, ...secret } = options
  if (source instanceof KeyObject) return keySigner(source, { option })
  if (isSignerObject(source)) return objectSigner(source, option, cwd)
  const expected = 'a private key: a file, a URL, PEM text, a KeyObject or a signer'
  const { text, where } = await readSource(source, expected, option, cwd)
  return keySigner(await openPrivateKey(text, where, secret), where)
}

function keySigner(privateKey: KeyObject, where: Where): Signer {
  if (privateKey.type === 'public')
    throw refuseKey(where, 'is a public key where a private key belongs')
  const key = trust(privateKey, where)
  return checked(key, where, (message) => signOrRefuse(privateKey, key, message, where))
}

/** OpenSSL notices some damaged keys only when they sign. */
function signOrRefuse(privateKey: KeyObject, key: TrustedKey, message: Uint8Array, where: Where) {
  try {
    return signWith(privateKey, key, message)
  } catch {
    throw refuseKey(where, 'is a private key that cannot sign: it is damaged')
  }
}

async function objectSigner(source: SignerObject, option: string, cwd?: string): Promise<Signer> {
  const place = { option: `${option}.publicKey`, ...(cwd !== undefined && { cwd }) }
  const key = await loadPublicKey(source.publicKey, place)
  return checked(key, { option }, async (message) => {
    const signature: unknown = await source.sign(message.slice())
    if (signature instanceof Uint8Array) return new Uint8Array(signature)
    throw wrongType(`${option}.sign()`, 'a Uint8Array', signature)
  })
}

/** A signer whose every signature verifies: a fault, a wrong key or a wrong scheme shows here, not in front of users. */
function checked(
  key: TrustedKey,
  where: Where,
  make: (message: Uint8Array) => Uint8Array | Promise<Uint8Array>,
): Signer {
  return {
    key,
    async sign(message) {
      for (const signature of spellings(await make(message), key))
        if (await nodeCrypto.verify(key, signature, message)) return signature
      throw refuseKey(
        where,
        `made a signature that its public half does not verify as ${key.scheme}`,
      )
    },
  }
}

/** What the bytes of a signature may mean: ECDSA's r || s is stored as DER. */
const spellings = (signature: Uint8Array, { algorithm }: TrustedKey): Uint8Array[] =>
  algorithm.namedCurve && signature.length === 64
    ? [signature, new Uint8Array(derFromRaw(signature))]
    : [signature]

const isSignerObject = (source: unknown): source is SignerObject =>
  typeof source === 'object' &&
  source !== null &&
  'publicKey' in source &&
  'sign' in source &&
  typeof source.sign === 'function'
