import { createPublicKey } from 'node:crypto'
import { join } from 'node:path'
import { generateKey } from '../../src/keys/generate.ts'
import { loadSigner } from '../../src/keys/private.ts'
import { toTrustedKey } from '../../src/keys/public.ts'
import { saveKey } from '../../src/keys/save.ts'
import { signDirectory } from '../../src/tree/sign.ts'
import { scratchFolder } from '../support/processes.ts'
import { writeInto } from '../tree/folder.ts'

/** A folder with an app in `dist`. */
export function appFolder(): string {
  const cwd = scratchFolder()
  writeInto(cwd, 'dist/index.html', '<p>')
  writeInto(cwd, 'dist/assets/a.js', 'a')
  return cwd
}

/** Makes a key file, and gives the key's fingerprint. */
export async function addKey(
  cwd: string,
  file: string,
  password: string | null = null,
): Promise<string> {
  const key = await generateKey('ed25519')
  await saveKey(key, join(cwd, file), { password } as { password: string })
  return toTrustedKey(createPublicKey(key)).fingerprint
}

/** An app signed by `a.key`, and `b.key` that signed nothing. */
export async function signedApp(): Promise<{ cwd: string; a: string; b: string }> {
  const cwd = appFolder()
  const [a, b] = [await addKey(cwd, 'a.key'), await addKey(cwd, 'b.key')]
  const signer = await loadSigner(join(cwd, 'a.key'))
  await signDirectory(join(cwd, 'dist'), signer, { name: 'shop', build: 7 })
  return { cwd, a, b }
}
