import { renderGraph } from '../graph/page.js'
import { isWrong, readGraph, type Graph } from '../graph/read.js'
import { countOf, kilobytes } from '../graph/text.js'
import { defaultManifestName } from '../manifest/names.js'
import { writeFileAtomically } from '../tree/write.js'
import { columns, defineCommand, json, type Command, type Output } from './command.js'
import { refuseInside } from './outside.js'
import { withProgress } from './progress.js'
import { releaseRows } from './release.js'
import { treeOf } from './target.js'
import { readTrust, verifiedArgs } from './trust.js'

/** Shows how the files of a release load one another. */
export const graph: Command = defineCommand({
  meta: {
    name: 'graph',
    description:
      'Show what loads each file of a signed folder or zip file, its size, and whether it is as signed',
  },
  args: {
    ...verifiedArgs,
    html: {
      type: 'string',
      valueHint: 'file.html',
      description: 'Where to write it as a page that needs nothing else, and runs no script',
    },
    json,
  },
  async run({ dir, manifest = defaultManifestName, html, ...given }): Promise<Output> {
    const trust = await readTrust(given)
    if (html !== undefined) await refuseInside(dir, '--html', html)
    const tree = await treeOf(dir)
    const found = await withProgress((progress) => readGraph(tree, trust, manifest, progress))
    if (html !== undefined) await writeFileAtomically(html, Buffer.from(renderGraph(found)))
    const status = found.graph.some(isWrong) ? 1 : 0
    return {
      data: { ...found, ...(html !== undefined && { html }) },
      lines: html === undefined ? lines(found) : columns([['page', html]]),
      words: words(dir, found),
      status,
    }
  },
})

const lines = (found: Graph): string[] => [
  ...columns([
    ...releaseRows(found),
    ...found.signers.map((key): [string, string] => ['signer', key]),
  ]),
  ...found.graph.flatMap(({ path, bytes, verdict, reason, loadedBy, isReportOnly }) => [
    `${verdict.padEnd(11)}${path}${bytes === undefined ? '' : ` (${kilobytes(bytes)})`}${reason ? ` (${reason})` : ''}${isReportOnly ? ' REPORT-ONLY: refuses nothing' : ''}`,
    ...loadedBy.map(({ path: by, way }) => `${' '.repeat(11)}<- ${by} (${way})`),
  ]),
]

function words(dir: string, { graph: files, name }: Graph): string[] {
  const wrong = files.filter(isWrong).length
  return wrong === 0
    ? [`${dir} is as signed for "${name}".`]
    : [`${countOf(wrong, 'file')} of ${dir} ${wrong === 1 ? 'is' : 'are'} not as signed.`]
}
