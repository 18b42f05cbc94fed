import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { defaultManifestName } from '../manifest/names.js'
import { parseUnverified, type UnverifiedManifest } from '../tree/describe.js'
import { summaryOf } from '../tree/report.js'
import { readManifest } from '../tree/stored.js'
import { columns, defineCommand, json, type Command, type Output } from './command.js'
import { expiryWords, releaseRows } from './release.js'
import { findReportOnly, reportOnlyRows } from './report-only.js'

/** Shows a manifest as it stands. */
export const show: Command = defineCommand({
  meta: {
    name: 'show',
    description: 'Show what a manifest says, without checking that it is true',
  },
  args: {
    target: {
      type: 'positional',
      description: 'The manifest, or a folder with a signedimp-manifest.txt',
    },
    files: { type: 'boolean', description: 'List the files too' },
    json,
  },
  async run({ target, files }): Promise<Output> {
    const isFolder = (await stat(target)).isDirectory()
    const path = isFolder ? join(target, defaultManifestName) : target
    const stored = parseUnverified(path, await readManifest(dirname(path), basename(path)))
    const reportOnly = isFolder ? await findReportOnly(target) : []
    return {
      data: { ...describe(stored, files), ...(isFolder && { reportOnly }) },
      lines: lines(stored, files, reportOnly),
      words: expiryWords(stored.manifest),
    }
  },
})

function describe({ path, manifest, signatures }: UnverifiedManifest, files: boolean): object {
  const list = [...manifest.files].map(([file, hash]) => ({ path: file, hash }))
  return {
    verified: false,
    manifest: path,
    ...summaryOf(manifest),
    imports: manifest.imports.size,
    signatures: signatures.map(({ fingerprint, scheme }) => ({ fingerprint, scheme })),
    ...(files && { list }),
  }
}

const lines = (
  { path, manifest, signatures }: UnverifiedManifest,
  files: boolean,
  reportOnly: readonly string[],
): Output['lines'] => [
  { text: `NOT VERIFIED: this is what ${path} says, whoever wrote it`, colour: 'yellow' },
  ...columns([
    ...releaseRows(summaryOf(manifest)),
    ['imports', manifest.imports.size],
    ...signatures.map(({ fingerprint, scheme }): [string, string] => [
      'signature',
      `${fingerprint} ${scheme}`,
    ]),
    ...reportOnlyRows(reportOnly),
  ]),
  ...(files ? [...manifest.files].map(([file, hash]) => `${hash} ${file}`) : []),
]
