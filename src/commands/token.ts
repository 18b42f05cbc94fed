import { findPassword } from '../keys/password.js'
import { pkcs11Signer, readTokenKey } from '../keys/pkcs11.js'
import { loadSigner } from '../keys/private.js'
import type { Signer } from '../manifest/sign.js'
import { UsageError } from './arguments.js'
import { openKey } from './key.js'
import { askHidden, canAsk } from './prompt.js'

/** The flags of a key in a token; `--key` is then its label. */
export const tokenFlags = {
  pkcs11: {
    type: 'string',
    valueHint: 'module',
    description: "The PKCS#11 module of the token that has the key; --key is then the key's label",
  },
  token: { type: 'string', valueHint: 'label', description: "The token's label" },
} as const

/** Values of {@link tokenFlags}. */
export interface TokenArguments {
  key: string
  pkcs11: string | undefined
  token: string | undefined
  /** What signs in the place of a key, if anything does. */
  command?: string | undefined
}

/**
 * Whoever signs by `--key`: a file, or a key in a token.
 * @throws UsageError on one flag without the other; SignedImpError `ERR_SIGNEDIMP_KEY`, `ERR_SIGNEDIMP_PASSWORD`
 */
export async function openSigner({ key, pkcs11, token, command }: TokenArguments): Promise<Signer> {
  if (pkcs11 === undefined && token === undefined) return openKey(key, command)
  if (command !== undefined)
    throw new UsageError('--signer and --pkcs11 are two ways to sign: give one')
  if (pkcs11 === undefined || token === undefined)
    throw new UsageError('--pkcs11 and --token go together: the module, and the label of its token')
  const place = { module: pkcs11, token, key }
  let known: string | undefined
  const pin = async () => (known ??= await pinOf(token)) as string
  const publicKey = await readTokenKey(place)
  return loadSigner(pkcs11Signer({ ...place, publicKey, pin }), { option: '--key' })
}

async function pinOf(token: string): Promise<string | undefined> {
  const pin = await findPassword({ variable: 'SIGNEDIMP_PIN' })
  return pin ?? (canAsk() ? (await askHidden([`PIN of ${token}: `]))[0] : undefined)
}
