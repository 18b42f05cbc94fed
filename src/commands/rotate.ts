import type { TrustedKey } from '../crypto/key.js'
import { SignedImpError } from '../errors.js'
import { isPublicKey, loadPublicKey } from '../keys/public.js'
import type { Signer } from '../manifest/sign.js'
import { defaultManifestName } from '../manifest/names.js'
import { addSignatures, readSigned } from '../tree/rotate.js'
import { verifyTree, type VerifyReport } from '../tree/verify.js'
import { UsageError, wholeNumber } from './arguments.js'
import { columns, defineCommand, json, type Command, type Output } from './command.js'
import { openKey, refuseKeyInside } from './key.js'
import { withProgress } from './progress.js'
import { releaseRows } from './release.js'
import { treeOf } from './target.js'

/** Adds the signatures of more keys to what one of them signed. */
export const rotate: Command = defineCommand({
  meta: {
    name: 'rotate',
    description:
      'Have a folder or a zip file signed by all of the keys, once it is found to be as some of them signed it',
  },
  args: {
    dir: { type: 'positional', description: 'The folder, or the zip file' },
    key: {
      type: 'string',
      required: true,
      multiple: true,
      valueHint: 'file',
      description: 'A key, old or new; of one that has signed, the public half will do',
    },
    threshold: {
      type: 'string',
      valueHint: 'number',
      description: 'How many of the keys must have signed before: else 1',
    },
    manifest: {
      type: 'string',
      valueHint: 'name',
      description: "The manifest's file name: else signedimp-manifest.txt",
    },
    json,
  },
  async run({ dir, key: files, manifest = defaultManifestName, ...numbers }): Promise<Output> {
    const threshold = wholeNumber('--threshold', numbers.threshold) ?? 1
    if (threshold === 0) throw new UsageError('--threshold must be at least 1')
    const tree = await treeOf(dir)
    const holders: Holder[] = []
    for (const file of files) holders.push(await readHolder(file))
    const keys = holders.map(({ key }) => key)
    const { signers, texts } = await withProgress((progress) =>
      readSigned(tree, { keys, threshold }, manifest, progress),
    )
    const missing = holders.filter(({ key }) => !signers.includes(key.fingerprint))
    // All are there before the first one signs.
    const opened = missing.map(signerOf)
    for (const { file, signer } of holders) if (signer) await refuseKeyInside(dir, file)
    if (opened.length > 0) await addSignatures(tree, texts, opened)
    const all = new Set(keys.map(({ fingerprint }) => fingerprint)).size
    const report = await withProgress((progress) =>
      verifyTree(tree, keys, { threshold: all, manifest, progress }),
    )
    const added = opened.map(({ key }) => key.fingerprint)
    return { data: { ...report, added }, lines: lines(report, added), words: words(dir, added) }
  },
})

/** A key of which at least the public half is known. */
interface Holder {
  file: string
  key: TrustedKey
  /** Where the file is the private one. */
  signer?: Signer
}

async function readHolder(file: string): Promise<Holder> {
  if (await isPublicKey(file)) return { file, key: await loadPublicKey(file, { option: '--key' }) }
  const signer = await openKey(file)
  return { file, key: signer.key, signer }
}

function signerOf({ file, signer }: Holder): Signer {
  if (signer) return signer
  const reason = 'is the public half of a key that has not signed: give the private one'
  throw new SignedImpError('ERR_SIGNEDIMP_KEY', reason, { path: file })
}

const lines = (report: VerifyReport, added: readonly string[]): string[] =>
  columns([
    ...releaseRows(report),
    ...report.signers.map((key): [string, string] => [
      added.includes(key) ? 'added' : 'signer',
      key,
    ]),
  ])

const words = (dir: string, { length }: readonly string[]): string[] =>
  length === 0
    ? [`${dir} was signed by all of the keys already.`]
    : [`${dir} is signed by all of the keys now.`]
