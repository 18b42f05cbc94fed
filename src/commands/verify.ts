import { verifyDirectory, verifyZipfile, type VerifyReport } from '../tree/verify.js'
import { columns, defineCommand, json, type Command, type Output } from './command.js'
import { formatFlag, verifyWithPython } from './python.js'
import { withProgress } from './progress.js'
import { expiryWords, releaseRows } from './release.js'
import { findReportOnly, reportOnlyRows } from './report-only.js'
import { isFolder, treeOf } from './target.js'
import { readTrust, verifiedArgs } from './trust.js'

/** Verifies a folder or a zip file. */
export const verify: Command = defineCommand({
  meta: {
    name: 'verify',
    description: 'Check that a folder or a zip file holds what was signed, and nothing else',
  },
  args: {
    ...verifiedArgs,
    format: formatFlag,
    json,
  },
  async run(args): Promise<Output> {
    if (args.format === 'python') return verifyWithPython(args)
    const { dir, manifest, ...given } = args
    const { keys, ...trust } = await readTrust(given)
    const verifyTarget = (await isFolder(dir)) ? verifyDirectory : verifyZipfile
    const report = await withProgress((progress) =>
      verifyTarget(dir, keys, { ...trust, manifest, progress }),
    )
    const asked =
      trust.name === undefined ? ` for "${report.name}"; give --name to accept no other` : ''
    const reportOnly = await (await treeOf(dir)).whileStill(findReportOnly)
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
