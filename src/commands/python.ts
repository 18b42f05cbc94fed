import { SignedImpError } from '../errors.js'
import { defaultManifestName, isManifestName } from '../manifest/names.js'
import { signForPython, verifyForPython, type PythonReport } from '../python/directory.js'
import { toPythonKey, type PythonKey } from '../python/manifest.js'
import { UsageError } from './arguments.js'
import { columns, type Output } from './command.js'
import { openKeyFile } from './key-file.js'
import { refuseKeyInside } from './key.js'

/** The flag of commands that also know the manifests of Python's signedimp. */
export const formatFlag = {
  type: 'enum' as const,
  options: ['signedimp', 'python'],
  description:
    'python: as the signedimp of Python reads it, with SHA-1, for no page: else signedimp',
}

/** Arguments of `sign` or `verify`: of these, Python's format knows a few. */
interface Asked {
  dir: string
  key: string | string[]
  manifest: string | undefined
}

/** What `sign --format python` does. */
export async function signWithPython(asked: Asked & Record<string, unknown>): Promise<Output> {
  const manifest = checked(asked)
  const file = asked.key as string
  const key = await openPythonKey(file)
  if (key.key.type !== 'private')
    throw new SignedImpError('ERR_SIGNEDIMP_KEY', 'is a public key where a private key belongs', {
      path: file,
    })
  await refuseKeyInside(asked.dir, file)
  return told(await signForPython(asked.dir, key, manifest), 'Signed')
}

/** What `verify --format python` does. */
export async function verifyWithPython(asked: Asked & Record<string, unknown>): Promise<Output> {
  const manifest = checked(asked)
  const keys: PythonKey[] = []
  for (const file of asked.key) keys.push(await openPythonKey(file))
  return told(await verifyForPython(asked.dir, keys, manifest), 'As signed')
}

async function openPythonKey(file: string): Promise<PythonKey> {
  const { key } = await openKeyFile(file)
  return toPythonKey(key, { option: '--key', file })
}

/** @throws UsageError on flags that the format has no place for */
function checked({ manifest = defaultManifestName, ...others }: Asked): string {
  const known = ['dir', 'key', 'format', 'json']
  for (const [flag, value] of Object.entries(others))
    if (value && !known.includes(flag))
      throw new UsageError(`--${flag} is not for --format python, whose manifests cannot say it`)
  if (!isManifestName(manifest))
    throw new UsageError('--manifest must be a file name without folders')
  return manifest
}

const told = (report: PythonReport, word: string): Output => ({
  data: { format: 'python', ...report },
  lines: columns([
    ['manifest', report.manifest],
    ['hash', report.hash],
    ['files', report.files],
    ...report.signers.map((key): [string, string] => ['signer', key]),
  ]),
  words: [
    `${word} for Python's signedimp, by SHA-1, which is broken: no page of signedimp accepts this.`,
  ],
})
