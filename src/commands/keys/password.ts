import { SignedImpError } from '../../errors.js'
import { replaceFile } from '../../keys/new-file.js'
import { loadSigner } from '../../keys/private.js'
import { toTrustedKey } from '../../keys/public.js'
import { formatPrivateKey } from '../../keys/write.js'
import { columns, defineCommand, json, type Command, type Output } from '../command.js'
import { openKeyFile, type OpenedKey } from '../key-file.js'
import { chooseNewPassword, openKeyWarning } from '../new-password.js'
import { kdf } from './convert.js'

/** Gives a key file another password. */
export const changePassword: Command = defineCommand({
  meta: {
    name: 'keys password',
    description: 'Give a private key in PEM another password, in its place',
  },
  args: {
    file: { type: 'positional', description: 'The private key' },
    kdf,
    'no-password': { type: 'boolean', description: 'Leave the key unencrypted' },
    json,
  },
  async run({ file, kdf: derivation, 'no-password': open }): Promise<Output> {
    const opened = await openKeyFile(file)
    refuseOthers(file, opened)
    const { fingerprint, scheme } = toTrustedKey(opened.key)
    const password = open ? null : await chooseNewPassword('SIGNEDIMP_NEW_PASSWORD')
    const content = await formatPrivateKey(opened.key, 'pem', { password, derivation })
    await replaceFile(file, content, (next) => check(next, password, fingerprint))
    return {
      data: { file, scheme, fingerprint, encrypted: !open },
      lines: columns([
        ['private', file],
        ['fingerprint', fingerprint],
      ]),
      words: [
        ...(open ? [openKeyWarning(file)] : []),
        'Copies and backups of the file keep the old password.',
      ],
    }
  },
})

/** What others wrote for other programs stays as these read it. */
function refuseOthers(file: string, { key, form }: OpenedKey): void {
  if (key.type === 'private' && form.endsWith('PEM')) return
  const reason = `is ${form}, and only private keys in PEM are changed in their place: write another file with signedimp keys convert`
  throw new SignedImpError('ERR_SIGNEDIMP_KEY', reason, { path: file })
}

/** The old file goes only when the new one gives the same key. */
async function check(file: string, password: string | null, fingerprint: string): Promise<void> {
  const signer = await loadSigner(file, { env: {}, ...(password !== null && { password }) })
  if (signer.key.fingerprint === fingerprint) return
  throw new SignedImpError('ERR_SIGNEDIMP_KEY', 'does not hold the same key', { path: file })
}
