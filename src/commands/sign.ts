import { realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { hashTypes } from '../crypto/algorithms.js'
import { SignedImpError } from '../errors.js'
import { findPassword } from '../keys/password.js'
import { loadSigner } from '../keys/private.js'
import { isPem } from '../keys/source.js'
import type { Signer } from '../manifest/sign.js'
import { signDirectory, type SignReport } from '../tree/sign.js'
import { isInside } from '../tree/system-path.js'
import { UsageError, wholeNumber } from './arguments.js'
import { columns, defineCommand, json, type Command, type Output } from './command.js'
import { withProgress } from './progress.js'
import { askHidden, canAsk } from './prompt.js'
import { releaseRows } from './release.js'

/** Signs a folder. */
export const sign: Command = defineCommand({
  meta: {
    name: 'sign',
    description:
      'List and sign every file of a folder, or add a signature to the list that is there',
  },
  args: {
    dir: { type: 'positional', description: 'The folder' },
    key: { type: 'string', required: true, valueHint: 'file', description: 'The private key' },
    name: {
      type: 'string',
      description: "Which app and channel this is: else as signed before, else package.json's name",
    },
    build: { type: 'string', valueHint: 'number', description: 'Increases with every release' },
    expires: {
      type: 'string',
      valueHint: 'date',
      description: 'When to refuse it from, such as 2027-02-01T00:00:00Z',
    },
    hash: { type: 'enum', options: [...hashTypes], description: 'Hash type: else sha256' },
    manifest: {
      type: 'string',
      valueHint: 'name',
      description: "The manifest's file name: else signedimp-manifest.txt",
    },
    json,
  },
  async run({ dir, key, name, expires, hash, manifest, ...numbers }): Promise<Output> {
    const build = wholeNumber('--build', numbers.build)
    if (isPem(key)) throw new UsageError(keyInSight)
    const signer = await openKey(key)
    await refuseKeyInside(dir, key)
    const report = await withProgress((progress) =>
      signDirectory(dir, signer, { name, build, expires, hash, manifest, progress }),
    )
    return { data: report, lines: lines(report), words: words(dir, report) }
  },
})

/** A password from the environment goes before a question, and a key that needs none is not asked for one. */
function openKey(key: string): Promise<Signer> {
  const password = async () =>
    (await findPassword({})) ?? (await askHidden([`Password for ${key}: `]))[0]!
  return loadSigner(key, { option: '--key', ...(canAsk() && { password }) })
}

// Without the key, which the logs of a CI system keep.
const keyInSight =
  '--key takes a file and no key itself, which everybody on the machine could see; in Bash, --key <(printf %s "$KEY") gives a variable\'s text'

async function refuseKeyInside(dir: string, key: string): Promise<void> {
  // A pipe is in no folder, and has no path.
  if (!(await stat(key)).isFile()) return
  if (!isInside(await realpath(dir), await realpath(key))) return
  const reason = 'is the private key, inside the folder to sign: whoever gets the folder could sign'
  throw new SignedImpError('ERR_SIGNEDIMP_KEY_EXPOSED', reason, { path: key })
}

const lines = (report: SignReport): string[] =>
  columns([
    ['manifest', report.manifest],
    ...releaseRows(report),
    ['signer', report.signer],
    ...report.kept.map((key): [string, string] => ['kept', key]),
    ...report.pageManifests.map((path): [string, string] => ['page manifest', path]),
  ])

const words = (
  dir: string,
  { manifest, kept, droppedImports, removedCopies }: SignReport,
): string[] => [
  `Signed ${join(dir, manifest)}.`,
  ...(kept.length > 0
    ? ['Signatures of other keys were there; they were kept, and not checked.']
    : []),
  ...droppedImports.map(
    (path) => `${path} or what it imports changed: its recorded imports were dropped.`,
  ),
  ...removedCopies.map((path) => `${path} held the manifest as it was before: it was removed.`),
]
