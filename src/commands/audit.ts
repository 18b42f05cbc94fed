import { auditSite, manifestUrl, type AuditReport } from '../tree/audit.js'
import { UsageError, wholeNumber } from './arguments.js'
import { columns, defineCommand, json, type Command, type Output } from './command.js'
import { withProgress } from './progress.js'
import { releaseRows } from './release.js'
import { readTrust, trustArgs } from './trust.js'

const defaultConcurrency = 8
const maxConcurrency = 64

/** Looks at a deployed site from outside. */
export const audit: Command = defineCommand({
  meta: {
    name: 'audit',
    description: 'Fetch the manifest of a site and every file that it lists, and check them all',
  },
  args: {
    url: {
      type: 'positional',
      description: 'The address of the manifest, or of its folder with the last slash',
    },
    ...trustArgs,
    concurrency: {
      type: 'string',
      valueHint: 'number',
      description: `How many requests at a time: else ${defaultConcurrency}`,
    },
    json,
  },
  async run({ url, concurrency: count, ...given }): Promise<Output> {
    const address = addressOf(url)
    const concurrency = wholeNumber('--concurrency', count) ?? defaultConcurrency
    if (concurrency < 1 || concurrency > maxConcurrency)
      throw new UsageError(`--concurrency must be from 1 to ${maxConcurrency}`)
    const trust = await readTrust(given)
    const report = await withProgress(
      (progress) => auditSite(address, { trust, concurrency, progress }),
      'checked',
    )
    return { data: report, lines: columns(rows(report)), words: words(report) }
  },
})

function addressOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search)
    throw new UsageError(`"${text}" is no http: or https: URL without user, password and query`)
  return manifestUrl(text)
}

const rows = (report: AuditReport): Parameters<typeof columns>[0] => [
  ['manifest', report.url],
  ...releaseRows(report),
  ['bytes', report.bytes],
  ...report.pageManifests.map((path): [string, string] => ['page manifest', path]),
  ...report.missingSourceMaps.map((path): [string, string] => ['deleted map', path]),
]

const words = ({ url }: AuditReport): string[] => [
  `${new URL('./', url).href} serves every listed file as signed; whether it serves others, nobody outside can tell.`,
]
