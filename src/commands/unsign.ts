import { loadPublicKey } from '../keys/public.js'
import { removeSignatures, type UnsignReport } from '../tree/signatures.js'
import { columns, defineCommand, json, type Command, type Output } from './command.js'
import { placeOf } from './target.js'

/** Takes signatures back. */
export const unsign: Command = defineCommand({
  meta: {
    name: 'unsign',
    description: 'Take the signatures of one key out of the manifests, or all; the lists stay',
  },
  args: {
    dir: { type: 'positional', description: 'The folder, the zip file, or the manifest' },
    key: {
      type: 'string',
      valueHint: 'file.pub',
      description: 'The public key of the signatures to take out: else all',
    },
    manifest: {
      type: 'string',
      valueHint: 'name',
      description: "The manifest's file name: else signedimp-manifest.txt",
    },
    json,
  },
  async run({ dir, key, manifest }): Promise<Output> {
    const fingerprint =
      key === undefined ? undefined : (await loadPublicKey(key, { option: '--key' })).fingerprint
    const report = await removeSignatures(await placeOf(dir, manifest), fingerprint)
    return { data: report, lines: lines(report), words: words(dir, report) }
  },
})

const lines = ({ removed, kept }: UnsignReport): string[] =>
  columns([
    ...removed.map((key): [string, string] => ['removed', key]),
    ...kept.map((key): [string, string] => ['kept', key]),
  ])

const words = (dir: string, { kept }: UnsignReport): string[] =>
  kept.length > 0
    ? []
    : [`Nobody vouches for ${dir} now: pages refuse it, and verify does, until somebody signs.`]
