import { loadPublicKey } from '../keys/public.js'
import { unsealDirectory, type UnsealReport } from '../seal/unseal.js'
import { columns, defineCommand, json, type Command, type Output } from './command.js'

/** Takes a seal back. */
export const unseal: Command = defineCommand({
  meta: {
    name: 'unseal',
    description:
      'Give a sealed folder the bytes that it had before; also after a seal that was interrupted',
  },
  args: {
    dir: { type: 'positional', description: 'The folder' },
    key: {
      type: 'string',
      multiple: true,
      valueHint: 'file.pub',
      description: 'A public key that must vouch for the folder first; may be repeated',
    },
    json,
  },
  async run({ dir, key }): Promise<Output> {
    const keys =
      key && (await Promise.all(key.map((file) => loadPublicKey(file, { option: '--key' }))))
    const report = await unsealDirectory(dir, { keys })
    return { data: report, lines: lines(report), words: words(dir, report) }
  },
})

const lines = ({ restored, removed }: UnsealReport): string[] =>
  columns([
    ...restored.map((path): [string, string] => ['restored', path]),
    ...removed.map((path): [string, string] => ['removed', path]),
  ])

const words = (dir: string, { verified }: UnsealReport): string[] => [
  `${dir} is as it was before it was sealed${verified ? '' : ', as its own record has it; no key was asked'}.`,
]
