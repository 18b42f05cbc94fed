import { access } from 'node:fs/promises'
import { SignedImpError } from '../errors.js'
import { generateKey } from '../keys/generate.js'
import { findPassword } from '../keys/password.js'
import { toTrustedKey } from '../keys/public.js'
import { saveKey } from '../keys/save.js'
import { columns, defineCommand, json, type Command, type Output } from './command.js'
import { askHidden, canAsk } from './prompt.js'

/** Makes a key pair. */
export const keygen: Command = defineCommand({
  meta: {
    name: 'keygen',
    description: 'Make a private key, and beside it the public key <file>.pub',
  },
  args: {
    file: { type: 'positional', description: 'Where to write the private key; never overwritten' },
    algorithm: {
      type: 'enum',
      options: ['rsa-pss', 'ed25519', 'ecdsa-p256'],
      description: 'Kind of key: rsa-pss if not given, which every browser verifies',
    },
    'no-password': { type: 'boolean', description: 'Leave the key unencrypted' },
    json,
  },
  async run({ file, algorithm, 'no-password': open }): Promise<Output> {
    await refuseExisting(file)
    const password = open ? null : await choosePassword()
    const key = await generateKey(algorithm)
    await saveKey(key, file, { password } as { password: string })
    const { fingerprint, scheme } = toTrustedKey(key)
    const data = { file, publicFile: `${file}.pub`, fingerprint, scheme, encrypted: !open }
    return { data, lines: lines(data), words: advice(data) }
  },
})

/** Asked before the password is: {@link saveKey} would refuse only after. */
async function refuseExisting(file: string): Promise<void> {
  for (const path of [file, `${file}.pub`]) {
    const exists = await access(path).then(
      () => true,
      () => false,
    )
    const reason = 'exists already, and a key file is never overwritten: choose another name'
    if (exists) throw new SignedImpError('ERR_SIGNEDIMP_KEY', reason, { path })
  }
}

async function choosePassword(): Promise<string> {
  const password = await findPassword({})
  if (password !== undefined) return password
  if (canAsk()) return askNewPassword()
  throw noPassword(
    'there is no terminal to ask for one, so set SIGNEDIMP_PASSWORD or SIGNEDIMP_PASSWORD_FILE to one that is not empty, or give --no-password for an unencrypted key',
  )
}

async function askNewPassword(): Promise<string> {
  const [password, again] = await askHidden(['Password for the new key: ', 'The same again: '])
  if (!password)
    throw noPassword('the password is empty; give --no-password for an unencrypted key')
  if (password !== again)
    throw noPassword('the two passwords are not the same; nothing was written')
  return password
}

const noPassword = (reason: string): SignedImpError =>
  new SignedImpError('ERR_SIGNEDIMP_PASSWORD', reason)

interface NewKey {
  file: string
  publicFile: string
  fingerprint: string
  scheme: string
  encrypted: boolean
}

const lines = ({ file, publicFile, fingerprint, scheme }: NewKey): string[] =>
  columns([
    ['private', file],
    ['public', publicFile],
    ['scheme', scheme],
    ['fingerprint', fingerprint],
  ])

const advice = ({ file, publicFile, encrypted }: NewKey): string[] => [
  `Keep ${file} to yourself; whoever verifies needs ${publicFile}.`,
  ...(encrypted ? [] : [`${file} is not encrypted: whoever can read it can sign.`]),
]
