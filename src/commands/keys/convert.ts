import type { TrustedKey } from '../../crypto/key.js'
import { derivationNames } from '../../keys/encrypt.js'
import { writeNew } from '../../keys/new-file.js'
import { toTrustedKey } from '../../keys/public.js'
import {
  formatPrivateKey,
  formatPublicKey,
  keyForms,
  takesPassword,
  type KeyForm,
} from '../../keys/write.js'
import { UsageError } from '../arguments.js'
import { columns, defineCommand, json, type Command, type Output } from '../command.js'
import { openKeyFile } from '../key-file.js'
import { chooseNewPassword, openKeyWarning, refuseExisting } from '../new-password.js'

/** The flag that says how a password becomes a cipher's key. */
export const kdf = {
  type: 'enum' as const,
  options: [...derivationNames],
  description:
    'How the password becomes a key: scrypt if not given; pbkdf2 (600,000 rounds) for readers without scrypt',
}

/** Writes a key in another form. */
export const convertKey: Command = defineCommand({
  meta: {
    name: 'keys convert',
    description: 'Write a key file in another form; a private key keeps its password',
  },
  args: {
    file: { type: 'positional', description: 'A private key, a public key or a certificate' },
    out: { type: 'positional', description: 'Where to write it; never overwritten' },
    to: {
      type: 'enum',
      options: [...keyForms],
      description: 'The form: pem if not given (PKCS#8, or a public key as keygen writes it)',
    },
    public: { type: 'boolean', description: 'Write the public half only' },
    kdf,
    'no-password': { type: 'boolean', description: 'Leave the key unencrypted' },
    json,
  },
  async run({ file, out, to = 'pem', public: half, kdf: derivation, ...flags }): Promise<Output> {
    const open = flags['no-password']
    await refuseExisting([out])
    const { key, password } = await openKeyFile(file)
    const trusted = toTrustedKey(key)
    if (half || key.type === 'public') {
      await writeNew(out, formatPublicKey(trusted, to), 0o644)
      return told(out, to, trusted, 'public')
    }
    if (!open && !takesPassword(to))
      throw new UsageError(
        `--to ${to} knows no password: say with --no-password that it needs none`,
      )
    const kept = open ? null : (password ?? (await chooseNewPassword('SIGNEDIMP_NEW_PASSWORD')))
    await writeNew(out, await formatPrivateKey(key, to, { password: kept, derivation }), 0o600)
    return told(out, to, trusted, open ? 'open' : 'private')
  },
})

function told(
  file: string,
  form: KeyForm,
  { fingerprint, scheme }: TrustedKey,
  what: 'public' | 'private' | 'open',
): Output {
  const half = what === 'public' ? what : 'private'
  return {
    data: { file, half, form, scheme, fingerprint, encrypted: what === 'private' },
    lines: columns([
      [half, file],
      ['scheme', scheme],
      ['fingerprint', fingerprint],
    ]),
    words: what === 'open' ? [openKeyWarning(file)] : [],
  }
}
