import { execFile } from 'node:child_process'
import type { KeyObject } from 'node:crypto'
import type { TrustedKey } from '../crypto/key.js'
import { hashBytes } from '../crypto/node.js'
import { SignedImpError } from '../errors.js'
import { findPassword, type Password } from './password.js'
import { loadPublicKey, readPublicText, type PublicKeySource } from './public.js'
import type { SignerObject } from './private.js'
import { refuseKey, wrongType, type Where } from './source.js'

/** A key in a token: an HSM, a smart card. */
export interface TokenKey {
  /** The token's PKCS#11 module, as a path: `/usr/lib/softhsm/libsofthsm2.so`. */
  module: string
  /** The token's label. */
  token: string
  /** The label of the key, or its id in hex. */
  key: string
  /** @default SIGNEDIMP_PIN, or the file that SIGNEDIMP_PIN_FILE names */
  pin?: Password | undefined
}

/**
 * A signer whose key stays in a token. OpenSC's `pkcs11-tool` signs, which must be in the path: no native code is loaded here.
 * Nothing is run before something is to be signed.
 * @param options `publicKey` says which key it must be: what the token says of itself is not asked
 * @throws TypeError on options that are none
 */
export function pkcs11Signer(options: TokenKey & { publicKey: PublicKeySource }): SignerObject {
  for (const name of ['module', 'token', 'key'] as const)
    if (!options[name] || typeof options[name] !== 'string')
      throw wrongType(name, 'a text', options[name])
  const { publicKey } = options
  return {
    publicKey,
    async sign(bytes) {
      return signInToken(options, await loadPublicKey(publicKey), bytes)
    },
  }
}

/**
 * The public half of a token's key, as the token says it.
 * @throws {@link SignedImpError} `ERR_SIGNEDIMP_KEY`
 */
export async function readTokenKey(options: TokenKey): Promise<KeyObject> {
  const id = await findId(options)
  const args = ['--read-object', '--type', 'pubkey', '--id', id]
  const text = (await run(options, args)).toString('latin1')
  return readPublicText(text, whereOf(options))
}

async function signInToken(
  options: TokenKey,
  { algorithm }: TrustedKey,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  const pin = await findPassword({ password: options.pin, variable: 'SIGNEDIMP_PIN' })
  if (pin === undefined) throw refuseKey(whereOf(options), pinNeeded, 'ERR_SIGNEDIMP_PASSWORD')
  const id = await findId(options)
  const { hash, name } = algorithm
  if (!hash && bytes.length > longest) throw refuseKey(whereOf(options), tooLong(bytes.length))
  // Tokens sign hashes: not all make them, and none has to be sent a whole manifest.
  const input = hash ? Buffer.from(hashBytes(digestOf(hash), bytes), 'hex') : bytes
  const mechanism = {
    'RSA-PSS': ['RSA-PKCS-PSS', ...pssArguments(hash ?? '', algorithm.saltLength)],
    ECDSA: ['ECDSA'],
    Ed25519: ['EDDSA'],
  }[name]
  const args = ['--login', '--pin', 'env:SIGNEDIMP_PIN', '--sign', '--id', id, '--mechanism']
  return run(options, [...args, ...mechanism], { input, pin })
}

const pinNeeded =
  'holds a key behind a PIN: give it in the option "pin", in SIGNEDIMP_PIN or in the file that SIGNEDIMP_PIN_FILE names'

/** What pkcs11-tool gives a token in one piece, as Ed25519 needs it. */
const longest = 1024

const tooLong = (length: number): string =>
  `cannot sign a text of ${length} bytes with Ed25519: pkcs11-tool hands a token at most ${longest}; use a key of RSA or ECDSA P-256`

const digestOf = (hash: string) => hash.replace('-', '').toLowerCase() as 'sha256'

const pssArguments = (hash: string, saltLength = 0): string[] => {
  const name = hash.replace('-', '')
  return ['--hash-algorithm', name, '--mgf', `MGF1-${name}`, '--salt-len', `${saltLength}`]
}

/** Pkcs11-tool finds a private key by its id only; that of the public half is the same. */
async function findId(options: TokenKey): Promise<string> {
  const list = (await run(options, ['--list-objects', '--type', 'pubkey'])).toString()
  const objects = list.split(/^(?=Public Key Object)/m).map((text) => ({
    label: /^ +label: +(.*)$/m.exec(text)?.[1],
    id: /^ +ID: +([0-9a-f]+)$/m.exec(text)?.[1],
  }))
  const found = objects.filter(({ label, id }) => id && [label, id].includes(options.key))
  if (found.length === 1) return found[0]!.id!
  const labels = objects.flatMap(({ label }) => label ?? []).join(', ')
  throw refuseKey(
    whereOf(options),
    found.length > 1
      ? `holds ${found.length} keys "${options.key}": give the id of one`
      : `holds no public key "${options.key}", only: ${labels || 'none'}`,
  )
}

const whereOf = ({ token }: TokenKey): Where => ({ option: 'token', file: `token ${token}` })

/** Runs pkcs11-tool on the token. The PIN is in its environment, as everybody sees the arguments of processes. */
function run(
  options: TokenKey,
  args: string[],
  { input, pin }: { input?: Uint8Array; pin?: string } = {},
): Promise<Buffer> {
  const place = ['--module', options.module, '--token-label', options.token]
  const env = { ...process.env, ...(pin !== undefined && { SIGNEDIMP_PIN: pin }), LC_ALL: 'C' }
  return new Promise((done, fail) => {
    const child = execFile(
      'pkcs11-tool',
      [...place, ...args],
      { env, encoding: 'buffer', timeout: 60_000 },
      (error, stdout, stderr) => (error ? fail(refusalOf(error, stderr, options)) : done(stdout)),
    )
    // What ends before it reads says why on its standard error.
    child.stdin!.on('error', () => {})
    child.stdin!.end(input)
  })
}

/** Of what pkcs11-tool says, the last thing is why. */
function refusalOf(
  error: Error & { code?: unknown },
  stderr: Buffer,
  options: TokenKey,
): SignedImpError {
  const where = whereOf(options)
  if (error.code === 'ENOENT')
    return refuseKey(where, 'needs the program pkcs11-tool, of OpenSC, in the path')
  const said = stderr
    .toString()
    .split('\n')
    .map((line) => line.replace(/^error: /, '').trim())
  const reason = said.findLast((line) => line && line !== 'Aborting.') ?? 'ended without a word'
  const isPin = /CKR_PIN_/.test(reason)
  return refuseKey(
    where,
    `does not sign: pkcs11-tool says "${reason}"`,
    isPin ? 'ERR_SIGNEDIMP_PASSWORD' : 'ERR_SIGNEDIMP_KEY',
  )
}
