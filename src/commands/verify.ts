import { loadPublicKey } from '../keys/public.js'
import { verifyDirectory, type VerifyReport } from '../tree/verify.js'
import { UsageError, wholeNumber } from './arguments.js'
import { columns, defineCommand, json, type Command, type Output } from './command.js'
import { formatFlag, verifyWithPython } from './python.js'
import { withProgress } from './progress.js'
import { expiryWords, releaseRows } from './release.js'
import { findReportOnly, reportOnlyRows } from './report-only.js'

/** Verifies a folder. */
export const verify: Command = defineCommand({
  meta: {
    name: 'verify',
    description: 'Check that a folder holds what was signed, and nothing else',
  },
  args: {
    dir: { type: 'positional', description: 'The folder' },
    key: {
      type: 'string',
      required: true,
      multiple: true,
      valueHint: 'file.pub',
      description: 'A public key to trust; may be repeated',
    },
    threshold: {
      type: 'string',
      valueHint: 'number',
      description: 'How many of the keys must have signed: else 1',
    },
    name: {
      type: 'string',
      description: 'The name that it must carry: else any that the keys signed',
    },
    build: { type: 'string', valueHint: 'number', description: 'The lowest build to accept' },
    manifest: {
      type: 'string',
      valueHint: 'name',
      description: "The manifest's file name: else signedimp-manifest.txt",
    },
    format: formatFlag,
    json,
  },
  async run(args): Promise<Output> {
    if (args.format === 'python') return verifyWithPython(args)
    const { dir, key, name, manifest, ...numbers } = args
    const build = wholeNumber('--build', numbers.build)
    const threshold = wholeNumber('--threshold', numbers.threshold)
    if (threshold === 0) throw new UsageError('--threshold must be at least 1')
    const keys = await Promise.all(key.map((file) => loadPublicKey(file, { option: '--key' })))
    const report = await withProgress((progress) =>
      verifyDirectory(dir, keys, { threshold, name, build, manifest, progress }),
    )
    const asked = name === undefined ? ` for "${report.name}"; give --name to accept no other` : ''
    const reportOnly = await findReportOnly(dir)
    const words = [
      `${dir} is as signed${asked}.`,
      ...wordsOnMaps(report),
      ...expiryWords(report),
      ...(reportOnly.length > 0
        ? ["Pages of mode 'report-only' are in it: nothing protects them."]
        : []),
    ]
    const told = columns([...rows(report), ...reportOnlyRows(reportOnly)])
    return { data: { ...report, reportOnly }, lines: told, words }
  },
})

const rows = (report: VerifyReport): Parameters<typeof columns>[0] => [
  ...releaseRows(report),
  ...report.signers.map((key): [string, string] => ['signer', key]),
  ...report.pageManifests.map((path): [string, string] => ['page manifest', path]),
  ...report.missingSourceMaps.map((path): [string, string] => ['deleted map', path]),
]

function wordsOnMaps({ missingSourceMaps: { length } }: VerifyReport): string[] {
  if (length === 0) return []
  return [`${length === 1 ? '1 source map is' : `${length} source maps are`} not there any more.`]
}
