import { join } from 'node:path'
import { hashTypes } from '../crypto/algorithms.js'
import { signDirectory, type SignReport } from '../tree/sign.js'
import { wholeNumber } from './arguments.js'
import { columns, defineCommand, json, type Command, type Output } from './command.js'
import { refuseKeyInside } from './key.js'
import { formatFlag, signWithPython } from './python.js'
import { withProgress } from './progress.js'
import { releaseRows } from './release.js'
import { openSigner, tokenFlags } from './token.js'

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
    ...tokenFlags,
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
    format: formatFlag,
    json,
  },
  async run(args): Promise<Output> {
    if (args.format === 'python') return signWithPython(args)
    const { dir, key, pkcs11, token, name, expires, hash, manifest, ...numbers } = args
    const build = wholeNumber('--build', numbers.build)
    const signer = await openSigner({ key, pkcs11, token })
    if (pkcs11 === undefined) await refuseKeyInside(dir, key)
    const report = await withProgress((progress) =>
      signDirectory(dir, signer, { name, build, expires, hash, manifest, progress }),
    )
    return { data: report, lines: lines(report), words: words(dir, report) }
  },
})

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
