import { join } from 'node:path'
import { parseUnverified, type UnverifiedManifest } from '../tree/describe.js'
import { summaryOf } from '../tree/report.js'
import { readMain } from '../tree/stored.js'
import { columns, defineCommand, json, type Command, type Output } from './command.js'
import { expiryWords, releaseRows } from './release.js'
import { findReportOnly, reportOnlyRows } from './report-only.js'
import { placeOf } from './target.js'

/** Shows a manifest as it stands. */
export const show: Command = defineCommand({
  meta: {
    name: 'show',
    description: 'Show what a manifest says, without checking that it is true',
  },
  args: {
    target: {
      type: 'positional',
      description: 'The manifest, or a folder or zip file with a signedimp-manifest.txt',
    },
    files: { type: 'boolean', description: 'List the files too' },
    json,
  },
  async run({ target, files }): Promise<Output> {
    const { stored, reportOnly } = await look(target)
    return {
      data: { ...describe(stored, files), ...(reportOnly && { reportOnly }) },
      lines: lines(stored, files, reportOnly ?? []),
      words: expiryWords(stored.manifest),
    }
  },
})

interface Seen {
  stored: UnverifiedManifest
  /** Undefined where there was only a manifest to look at. */
  reportOnly?: string[]
}

async function look(target: string): Promise<Seen> {
  const { tree, manifestName, alone } = await placeOf(target)
  const path = alone ? target : join(target, manifestName)
  return tree.whileStill(async (listed) => {
    const stored = parseUnverified(path, await readMain({ ...listed, manifestName }))
    return { stored, ...(!alone && { reportOnly: await findReportOnly(listed) }) }
  })
}

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
