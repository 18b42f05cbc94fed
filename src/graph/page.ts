import { createHash } from 'node:crypto'
import { drawGraph } from './drawing.js'
import type { Edge, Way } from './edges.js'
import { isWrong, type Graph, type GraphFile } from './read.js'
import { style } from './style.js'
import { countOf, kilobytes, text } from './text.js'

/** Nothing but its own style has an effect in the page, whatever a file is called. */
const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'`

/** Renders a graph as one HTML page, which needs nothing else and runs no script. */
export function renderGraph(graph: Graph): string {
  const ids = idsOf(graph.graph)
  const release = graph.build === undefined ? '' : ` <small>build ${graph.build}</small>`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(graph.name)}${graph.build === undefined ? '' : ` build ${graph.build}`}: what loads what</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${text(graph.name)}${release}</h1>
${renderVerdict(graph, ids)}
${renderFacts(graph)}
${renderDrawing(graph)}
${renderFiles(graph, ids)}
</main>
</body>
</html>
`
}

function renderVerdict({ graph }: Graph, ids: Ids): string {
  const wrong = graph.filter(isWrong)
  const deleted = graph.filter(({ verdict }) => verdict === 'deleted').length
  const but =
    deleted === 0
      ? ''
      : ` ${countOf(deleted, 'source map')} of the list ${deleted === 1 ? 'is' : 'are'} not there any more, which is no fault.`
  if (wrong.length === 0)
    return `<p class="verdict good">✓ As signed<span>Every file is what was signed: ${countOf(graph.length - deleted, 'file')}, and no other is there.${but}</span></p>`
  const named = wrong.map((file) => `<li>${linkTo(ids, file.path)} ${text(file.verdict)}</li>`)
  return `<div class="verdict bad">✗ Not as signed<span>${countOf(wrong.length, 'file')} of ${graph.length}:</span><ul>${named.join('')}</ul></div>`
}

function renderFacts({ expires, hash, signers, manifest, graph }: Graph): string {
  const bytes = graph.reduce((sum, { bytes = 0 }) => sum + bytes, 0)
  const rows: [string, string][] = [
    ['Manifest', text(manifest)],
    ['Expires', text(expires ?? 'never')],
    ['Hash', text(hash)],
    ['Files', `${countOf(graph.length, 'file')}, ${kilobytes(bytes)}`],
    ...signers.map((key): [string, string] => ['Signed by', `<code>${text(key)}</code>`]),
  ]
  return `<dl>${rows.map(([term, value]) => `<dt>${term}</dt><dd>${value}</dd>`).join('')}</dl>`
}

function renderDrawing({ graph }: Graph): string {
  const drawing = drawGraph(graph)
  if (drawing === undefined) return ''
  return `<h2 id="drawing">What loads what</h2>
<figure><div class="scroll" role="region" aria-labelledby="drawing" tabindex="0">${drawing}</div>
<figcaption>From pages, on the left, to what they load. A line is a static import or a tag, a dashed one an import() and a dotted one a name in a text.</figcaption></figure>`
}

const groups: [kind: GraphFile['kind'], title: string][] = [
  ['page', 'Pages'],
  ['script', 'Scripts'],
  ['style', 'Stylesheets'],
  ['other', 'Other files'],
  ['source map', 'Source maps'],
]

function renderFiles({ graph }: Graph, ids: Ids): string {
  const bodies = groups.map(([kind, title]) =>
    renderGroup(
      ids,
      title,
      graph.filter((file) => file.kind === kind),
    ),
  )
  return `<h2 id="files">Files</h2>
<div class="scroll" role="region" aria-labelledby="files" tabindex="0"><table>
<thead><tr><th scope="col">File</th><th scope="col">Size</th><th scope="col">Loads</th><th scope="col">Loaded by</th><th scope="col">Verdict</th></tr></thead>
${bodies.join('')}</table></div>`
}

function renderGroup(ids: Ids, title: string, files: GraphFile[]): string {
  if (files.length === 0) return ''
  const sizes = files.map(({ bytes = 0 }) => bytes)
  const sum = kilobytes(sizes.reduce((all, bytes) => all + bytes, 0))
  const rows = files.map((file) => renderRow(ids, file, Math.max(...sizes, 1)))
  return `<tbody><tr><th scope="rowgroup" colspan="5">${title}<small>${countOf(files.length, 'file')}, ${sum}</small></th></tr>
${rows.join('')}</tbody>
`
}

function renderRow(ids: Ids, file: GraphFile, largest: number): string {
  const { path, bytes, loads, loadedBy, isOpen, isReportOnly } = file
  const more = isOpen ? note('and what only its run tells') : ''
  const reportOnly = isReportOnly ? note('REPORT-ONLY: refuses nothing') : ''
  return `<tr id="${ids.get(path)}"><th scope="row"><span class="path"><bdi>${text(path)}</bdi></span>${reportOnly}</th>${renderSize(bytes, largest)}<td>${renderEdges(ids, loads, isWrong(file) ? 'not known' : 'nothing')}${more}</td><td>${renderEdges(ids, loadedBy, 'nothing')}</td><td>${renderPill(file)}</td></tr>
`
}

function renderSize(bytes: number | undefined, largest: number): string {
  if (bytes === undefined) return '<td class="size"><span class="none">none</span></td>'
  const share = Math.max(1, Math.round((bytes / largest) * 100))
  return `<td class="size">${kilobytes(bytes)}<svg viewBox="0 0 100 5" preserveAspectRatio="none" aria-hidden="true"><rect class="bar" width="${share}" height="5"/></svg></td>`
}

function renderPill(file: GraphFile): string {
  const { verdict, reason } = file
  return `<span class="pill ${isWrong(file) ? 'bad' : 'good'}">${text(verdict)}</span>${reason === undefined ? '' : note(reason)}`
}

const note = (words: string): string => `<span class="note">${text(words)}</span>`

const ways: Record<Way, string> = {
  static: 'import',
  dynamic: 'import()',
  page: 'tag',
  text: 'by name',
}

/** As many as are shown without being asked for. */
const shown = 6

function renderEdges(ids: Ids, edges: readonly Edge[], none: string): string {
  if (edges.length === 0) return `<span class="none">${none}</span>`
  const items = edges.map(
    ({ path, way }) => `<li>${linkTo(ids, path)} <span class="way">${ways[way]}</span></li>`,
  )
  const list = `<ul>${items.join('')}</ul>`
  return edges.length > shown
    ? `<details><summary>${countOf(edges.length, 'file')}</summary>${list}</details>`
    : list
}

const linkTo = (ids: Ids, path: string): string =>
  `<a class="path" href="#${ids.get(path)}"><bdi>${text(path)}</bdi></a>`

/** The id of each file's row, by path. By number: a name could be anything. */
type Ids = ReadonlyMap<string, string>

const idsOf = (graph: readonly GraphFile[]): Ids =>
  new Map(graph.map(({ path }, at) => [path, `file-${at}`]))
