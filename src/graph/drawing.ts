import type { Edge } from './edges.js'
import { isWrong, type GraphFile } from './read.js'
import { kilobytes, text } from './text.js'

/** More than these are no drawing that anybody can read. */
const mostFiles = 60

const column = 250
const row = 52
const [width, height] = [200, 38]
const longestName = 24

interface Box {
  file: GraphFile
  x: number
  y: number
}

/**
 * Draws how pages, scripts and stylesheets load one another, from left to right, as SVG. It says nothing that the table of the page
 * does not say, so that nobody needs it.
 * @returns undefined where there are too many files, or nothing loads anything
 */
export function drawGraph(files: readonly GraphFile[]): string | undefined {
  const drawn = files.filter(
    ({ kind, loads, loadedBy }) =>
      ['page', 'script', 'style'].includes(kind) && loads.length + loadedBy.length > 0,
  )
  if (drawn.length === 0 || drawn.length > mostFiles) return undefined
  const columns = arrange(drawn)
  const boxes = new Map<string, Box>()
  for (const [at, list] of columns.entries())
    for (const [place, file] of list.entries())
      boxes.set(file.path, { file, x: 10 + at * column, y: 10 + place * row })
  const edges = drawn.flatMap((file) => file.loads.map((edge) => drawEdge(file, edge, boxes)))
  const wide = columns.length * column - (column - width) + 20
  const high = Math.max(...columns.map(({ length }) => length)) * row + 10
  const content = edges.join('') + [...boxes.values()].map(drawBox).join('')
  return `<svg class="drawing" width="${wide}" height="${high}" viewBox="0 0 ${wide} ${high}" role="img" aria-label="The table below as a drawing">${content}</svg>`
}

/** Columns: a file is to the right of what loads it, but where files load one another in a circle. */
function arrange(files: readonly GraphFile[]): GraphFile[][] {
  const order = topDown(files)
  const place = new Map(order.map(({ path }, at) => [path, at]))
  const depth = new Map(order.map(({ path }) => [path, 0]))
  for (const [at, { path, loads }] of order.entries())
    for (const edge of loads)
      if (place.get(edge.path)! > at)
        depth.set(edge.path, Math.max(depth.get(edge.path)!, depth.get(path)! + 1))
  const columns: GraphFile[][] = []
  for (const file of order) (columns[depth.get(file.path)!] ??= []).push(file)
  return straighten(columns)
}

/** Files in an order in which each stands behind what loads it, but for circles. */
function topDown(files: readonly GraphFile[]): GraphFile[] {
  const left = new Map(files.map((file) => [file.path, file]))
  const order: GraphFile[] = []
  const visit = (file: GraphFile) => {
    if (!left.delete(file.path)) return
    for (const { path } of file.loads.toReversed()) if (left.has(path)) visit(left.get(path)!)
    order.unshift(file)
  }
  const starts = files.filter(({ kind, loadedBy }) => kind === 'page' || loadedBy.length === 0)
  // Whoever is visited first comes last. What no start leads to is in a circle.
  for (const file of [...starts.toReversed(), ...files]) visit(file)
  return order
}

/** Puts the files of each column next to those that load them, so that lines cross less. */
function straighten(columns: GraphFile[][]): GraphFile[][] {
  const rows = new Map<string, number>()
  return columns.map((files) => {
    const middle = ({ loadedBy }: GraphFile) => {
      const known = loadedBy.flatMap(({ path }) => rows.get(path) ?? [])
      return known.length > 0 ? known.reduce((a, b) => a + b) / known.length : 0
    }
    const sorted = files.toSorted((a, b) => middle(a) - middle(b))
    for (const [at, { path }] of sorted.entries()) rows.set(path, at)
    return sorted
  })
}

function drawEdge({ path: from }: GraphFile, { path, way }: Edge, boxes: Map<string, Box>): string {
  const [start, end] = [boxes.get(from), boxes.get(path)]
  return start && end ? `<path class="${way}" d="${curve(start, end)}"/>` : ''
}

/** From side to side; back to the left, below the boxes. */
function curve(start: Box, end: Box): string {
  const [y, toY] = [start.y + height / 2, end.y + height / 2]
  if (end.x > start.x) {
    const [x, toX] = [start.x + width, end.x]
    const bend = Math.min(80, (toX - x) / 2 + 20)
    return `M${x} ${y}C${x + bend} ${y} ${toX - bend} ${toY} ${toX} ${toY}`
  }
  const [x, toX] = [start.x + width / 2, end.x + width / 2]
  const low = Math.max(start.y, end.y) + height + 12
  return `M${x} ${start.y + height}C${x} ${low} ${toX} ${low} ${toX} ${end.y + height}`
}

function drawBox({ file, x, y }: Box): string {
  const { path, kind, verdict, bytes } = file
  const isGood = !isWrong(file)
  const under = bytes === undefined ? verdict : kilobytes(bytes) + (isGood ? '' : ` · ${verdict}`)
  return `<g class="${kind}${isGood ? '' : ' bad'}"><title>${text(path)}</title><rect x="${x}" y="${y}" width="${width}" height="${height}" rx="6"/><text x="${x + 10}" y="${y + 16}">${text(shorten(path))}</text><text class="size" x="${x + 10}" y="${y + 31}">${text(under)}</text></g>`
}

/** The end of a path says most. */
function shorten(path: string): string {
  const letters = Array.from(path.slice(path.lastIndexOf('/') + 1))
  return letters.length > longestName
    ? `${letters.slice(0, 11).join('')}…${letters.slice(-12).join('')}`
    : letters.join('')
}
