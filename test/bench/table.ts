/** Figures for people. */
export interface Table {
  title: string
  /** What is needed to read the table. */
  notes: string[]
  columns: string[]
  /** The first cell names the row. */
  rows: string[][]
}

/** What one part of the benchmark found. */
export interface Section {
  tables: Table[]
  /** Every single run, for programs. */
  data: unknown
}

/** A table as plain text. */
export function toText({ title, notes, columns, rows }: Table): string {
  const widths = columns.map((column, at) =>
    Math.max(column.length, ...rows.map((row) => row[at]?.length ?? 0)),
  )
  const line = (cells: string[]) =>
    cells
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)))
      .join('  ')
      .trimEnd()
  const rule = widths.map((width) => '-'.repeat(width)).join('  ')
  return [title, ...notes.map((note) => `  ${note}`), '', line(columns), rule, ...rows.map(line)]
    .map((text) => text + '\n')
    .join('')
}

/** A table as Markdown. */
export function toMarkdown({ title, notes, columns, rows }: Table): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |\n`
  const rule = columns.map((_, at) => (at === 0 ? '---' : '---:'))
  const text = notes.map((note) => `${note}\n\n`).join('')
  return `## ${title}\n\n${text}${line(columns)}${line(rule)}${rows.map(line).join('')}`
}
