import { formatNumbers, numbersOf, pythonFingerprint } from '../../keys/numbers.js'
import { toTrustedKey } from '../../keys/public.js'
import { columns, defineCommand, json, type Command, type Output } from '../command.js'
import { openKeyFile, type OpenedKey } from '../key-file.js'

/** Shows what is in a key file, but for its secret. */
export const showKey: Command = defineCommand({
  meta: {
    name: 'keys show',
    description: 'Show what a key file holds: its fingerprint, kind and form, and nothing secret',
  },
  args: {
    file: { type: 'positional', description: 'A private key, a public key or a certificate' },
    format: {
      type: 'enum',
      options: ['signedimp', 'python'],
      description:
        "python: the public numbers of an RSA key, as Python's signedimp shows them: else signedimp",
    },
    json,
  },
  async run({ file, format }): Promise<Output> {
    const opened = await openKeyFile(file)
    return format === 'python' ? numbers(opened) : describe(file, opened)
  },
})

function describe(file: string, { key, form, encryption }: OpenedKey): Output {
  const { fingerprint, scheme } = toTrustedKey(key)
  const { modulusLength } = key.asymmetricKeyDetails!
  const half = key.type as 'private' | 'public'
  const data = { file, half, form, encryption, scheme, bits: modulusLength, fingerprint }
  return { data, lines: columns([[half, file], ...rows(data)]) }
}

const rows = (
  data: Record<'form' | 'scheme' | 'fingerprint', string> & {
    encryption: string | undefined
    bits: number | undefined
  },
): [string, string | number | undefined][] =>
  (['form', 'encryption', 'scheme', 'bits', 'fingerprint'] as const).map((word) => [
    word,
    data[word],
  ])

/** Only the public numbers: a terminal's scrollback is no place for the other. */
function numbers({ key }: OpenedKey): Output {
  const { n, e } = numbersOf(key)
  const fingerprint = pythonFingerprint({ n, e })
  return {
    data: { n: `${n}`, e: `${e}`, fingerprint },
    lines: [formatNumbers({ n, e })],
    words: [`Python's signedimp calls it ${fingerprint}.`],
  }
}
