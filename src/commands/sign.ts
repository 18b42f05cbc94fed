import { join } from 'node:path'
import { hashTypes, type HashType } from '../crypto/algorithms.js'
import { signDirectory, signZipfile, type SignReport } from '../tree/sign.js'
import { UsageError, wholeNumber } from './arguments.js'
import { columns, defineCommand, json, type Command, type Output } from './command.js'
import { detachedArgs, refuseDetachedFlags, runDetached } from './detached.js'
import { refuseKeyInside } from './key.js'
import { formatFlag, signWithPython } from './python.js'
import { withProgress } from './progress.js'
import { releaseRows } from './release.js'
import { isFolder } from './target.js'
import { openSigner, tokenFlags } from './token.js'

/** Signs a folder or a zip file. */
export const sign: Command = defineCommand({
  meta: {
    name: 'sign',
    description:
      'List and sign every file of a folder or a zip file, or add a signature to the list that is there',
  },
  args: {
    dir: { type: 'positional', description: 'The folder, or the zip file' },
    key: {
      type: 'string',
      required: true,
      valueHint: 'file',
      description: 'The private key; with --signer, the public one',
    },
    signer: {
      type: 'string',
      valueHint: 'command',
      description: 'Signs in the place of a key: bytes on standard input, signature on output',
    },
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
    ...detachedArgs,
    format: formatFlag,
    json,
  },
  async run(args): Promise<Output> {
    if (args.format === 'python') return signWithPython(args)
    if (!args.detached) {
      refuseDetachedFlags(args)
      return signFiles(args)
    }
    for (const flag of ['build', 'expires', 'hash'] as const)
      if (args[flag] !== undefined)
        throw new UsageError(`--${flag} is not for --detached: the manifest says it already`)
    return runDetached(args)
  },
})

interface Asked {
  dir: string
  key: string
  signer: string | undefined
  pkcs11: string | undefined
  token: string | undefined
  name: string | undefined
  build: string | undefined
  expires: string | undefined
  hash: HashType | undefined
  manifest: string | undefined
}

async function signFiles({
  dir,
  key,
  signer: command,
  pkcs11,
  token,
  build: number,
  ...options
}: Asked): Promise<Output> {
  const build = wholeNumber('--build', number)
  const { name, expires, hash, manifest } = options
  const signer = await openSigner({ key, pkcs11, token, command })
  if (command === undefined && pkcs11 === undefined) await refuseKeyInside(dir, key)
  const signTarget = (await isFolder(dir)) ? signDirectory : signZipfile
  const report = await withProgress((progress) =>
    signTarget(dir, signer, { name, build, expires, hash, manifest, progress }),
  )
  return { data: report, lines: lines(report), words: words(dir, report) }
}

const lines = (report: SignReport): string[] =>
  columns([
    ['manifest', report.manifest],
    ...releaseRows(report),
    ['signer', report.signer],
    ...report.kept.map((key): [string, string] => ['kept', key]),
    ...report.dropped.map((key): [string, string] => ['dropped', key]),
    ...report.pageManifests.map((path): [string, string] => ['page manifest', path]),
  ])

const words = (
  dir: string,
  { manifest, kept, dropped, droppedImports, removedCopies }: SignReport,
): string[] => [
  `Signed ${join(dir, manifest)}.`,
  ...(kept.length > 0
    ? ['Signatures of other keys were there; they were kept, and not checked.']
    : []),
  ...(dropped.length > 0
    ? ['What is there is not what other keys had signed: their signatures went.']
    : []),
  ...droppedImports.map(
    (path) => `${path} or what it imports changed: its recorded imports were dropped.`,
  ),
  ...removedCopies.map((path) => `${path} held the manifest as it was before: it was removed.`),
]
