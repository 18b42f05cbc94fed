import { basename, dirname } from 'node:path'
import { loadPublicKey } from '../keys/public.js'
import { folderContents } from '../tree/contents.js'
import { attachSignatures, parseSignatures, type AttachReport } from '../tree/signatures.js'
import { readManifest } from '../tree/stored.js'
import { columns, defineCommand, json, type Command, type Output } from './command.js'
import { placeOf } from './target.js'

/** Puts signatures that were made elsewhere into the manifests that they sign. */
export const attach: Command = defineCommand({
  meta: {
    name: 'attach',
    description: 'Put signatures of sign --detached into the manifests that they sign',
  },
  args: {
    dir: { type: 'positional', description: 'The folder, the zip file, or the manifest' },
    signatures: { type: 'positional', description: 'The file of sign --detached' },
    key: {
      type: 'string',
      required: true,
      multiple: true,
      valueHint: 'file.pub',
      description: 'A public key that may have signed; may be repeated',
    },
    manifest: {
      type: 'string',
      valueHint: 'name',
      description: "The manifest's file name: else signedimp-manifest.txt",
    },
    json,
  },
  async run({ dir, signatures, key, manifest }): Promise<Output> {
    const keys = await Promise.all(key.map((file) => loadPublicKey(file, { option: '--key' })))
    const given = parseSignatures(
      signatures,
      await readManifest(folderContents(dirname(signatures)), basename(signatures)),
    )
    const report = await attachSignatures(await placeOf(dir, manifest), given, keys)
    return { data: report, lines: lines(report), words: words(dir, report) }
  },
})

const lines = ({ manifests, added, kept }: AttachReport): string[] =>
  columns([
    ...manifests.map((path): [string, string] => ['manifest', path]),
    ...added.map((key): [string, string] => ['signer', key]),
    ...kept.map((key): [string, string] => ['kept', key]),
  ])

const words = (dir: string, { kept }: AttachReport): string[] => [
  `The manifests of ${dir} are signed; whether its files are what they list, verify tells.`,
  ...(kept.length > 0
    ? ['Signatures of other keys were there; they were kept, and not checked.']
    : []),
]
