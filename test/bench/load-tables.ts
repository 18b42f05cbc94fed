import type { Cell, Warmth } from './turns.ts'
import type { App, Variant } from './sites.ts'
import { formatRatio, judge, ratioOf, summarize } from './statistics.ts'
import type { Table } from './table.ts'

const labels: Record<Variant, string> = {
  plain: 'plain',
  again: 'plain again',
  all: "inline: 'all'",
  inline: 'inline: true',
  linked: 'inline: false',
  late: 'late map (in Firefox blobs)',
  blob: 'blobs',
  tags: 'tags',
}

const conditions: Record<Warmth, string> = {
  cold: 'Cold: each run in a fresh browser context; scripts may be cached, pages must be revalidated.',
  warm: 'Warm: a new navigation in a context that has loaded the page three times.',
}

/** The cells as tables: ratios first, then every figure. */
export function tablesOf(cells: Cell[], apps: App[], engines: string): Table[] {
  return apps.flatMap((app) =>
    (['cold', 'warm'] as const).flatMap((warmth) => {
      const own = cells.filter((cell) => cell.app === app.name && cell.warmth === warmth)
      const title = `Load, ${warmth}: ${app.title}`
      const notes = [
        `${conditions[warmth]} Milliseconds are added before each response, on HTTP/1.1. ${engines}.`,
      ]
      return own.length === 0
        ? []
        : [ratios(title, notes, app, rowsOf(own)), figures(title, rowsOf(own))]
    }),
  )
}

type Rows = [name: string, cells: Cell[]][]

/** The variants that were measured in turns belong together. */
function rowsOf(cells: Cell[]): Rows {
  const nameOf = ({ engine, latency }: Cell) => `${engine}, ${latency} ms`
  const names = new Set(cells.map(nameOf))
  return [...names].map((name) => [name, cells.filter((cell) => nameOf(cell) === name)])
}

function ratios(title: string, notes: string[], app: App, rows: Rows): Table {
  const rest = app.variants.filter((variant) => variant !== 'plain')
  return {
    title,
    notes: [
      ...notes,
      'Ratios of medians to the plain page, with their 95 % intervals where there are runs enough; "plain again" is noise.',
    ],
    columns: ['', 'plain, ms', ...rest.map((variant) => labels[variant])],
    rows: rows.map(([name, cells]) => {
      const timesOf = (wanted: Variant) => times(cells.find(({ variant }) => variant === wanted)!)
      const plain = timesOf('plain')
      const { latency, warmth } = cells[0]!
      return [
        name,
        summarize(plain)?.median.toFixed(0) ?? 'failed',
        ...rest.map((variant) => {
          const target =
            warmth === 'warm' || variant === 'again' ? undefined : app.target(variant, latency)
          return ratioCell(timesOf(variant), plain, target)
        }),
      ]
    }),
  }
}

function ratioCell(ours: number[], plain: number[], target: number | undefined): string {
  if (ours.length === 0 || plain.length === 0) return 'failed'
  const ratio = ratioOf(ours, plain)
  const text = formatRatio(ratio)
  return target === undefined ? text : `${text} ≤ ${target} ${judge(ratio, target)}`
}

function figures(title: string, rows: Rows): Table {
  return {
    title: `${title}: every figure`,
    notes: [
      'Milliseconds; "min by min" is the shortest run by the shortest of the plain page: other work on the machine only ever adds.',
      'Requests are those that reached the server, files asked for twice in brackets.',
    ],
    columns: ['', 'runs', 'failed', 'median', 'min', 'max', 'min by min', 'requests'],
    rows: rows.flatMap(([name, cells]) =>
      cells.map((cell) => {
        const { runs, median, min, max } = summarize(times(cell)) ?? { runs: 0 }
        const best = Math.min(...times(cells[0]!))
        const requests = summarize(cell.visits.map(({ requests }) => requests))?.median
        const twice = summarize(cell.visits.map(({ twice }) => twice.length))?.median
        return [
          `${name}, ${labels[cell.variant]}`,
          String(runs),
          String(cell.failures.length),
          ...[median, min, max].map((value) => value?.toFixed(0) ?? ''),
          min ? (min / best).toFixed(2) : '',
          `${requests ?? ''}${twice ? ` (${twice})` : ''}`,
        ]
      }),
    ),
  }
}

const times = ({ visits }: Cell): number[] => visits.map(({ ms }) => ms)
