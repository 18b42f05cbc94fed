import { generateKey } from '../keys/generate.js'
import { toTrustedKey } from '../keys/public.js'
import { saveKey } from '../keys/save.js'
import { columns, defineCommand, json, type Command, type Output } from './command.js'
import { chooseNewPassword, openKeyWarning, refuseExisting } from './new-password.js'

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
    await refuseExisting([file, `${file}.pub`])
    const password = open ? null : await chooseNewPassword('SIGNEDIMP_PASSWORD')
    const key = await generateKey(algorithm)
    await saveKey(key, file, { password } as { password: string })
    const { fingerprint, scheme } = toTrustedKey(key)
    const data = { file, publicFile: `${file}.pub`, fingerprint, scheme, encrypted: !open }
    return { data, lines: lines(data), words: advice(data) }
  },
})

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
  ...(encrypted ? [] : [openKeyWarning(file)]),
]
