import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { root } from '../support/files.ts'
import { frameworks } from './all.ts'
import type { Framework } from './framework.ts'

/** A table of a document, between `<!-- name: begin -->` and `<!-- name: end -->`. */
export interface Table {
  /** From the root of the checkout. */
  document: string
  name: string
  columns: readonly string[]
  /** First cells of all rows that there may be, in order. */
  rows: readonly string[]
}

const table: Table = {
  document: 'docs/frameworks.md',
  name: 'frameworks',
  columns: ['Framework', 'Versions', 'By', 'Set for it', 'Result', 'First load', 'Run on'],
  rows: frameworks.map(({ name }) => name),
}

/** What one run found out about a framework. */
export interface Row {
  framework: Framework
  versions: string
  result: string
  load: string
}

/** Writes a row of the table; the rows of frameworks that were not run stay. */
export async function writeRow({ framework, versions, result, load }: Row): Promise<void> {
  const by = framework.plugin ? 'plugin' : '`signedimp seal`'
  await writeCells(table, [framework.name, versions, by, framework.configured, result, load])
}

/** Writes a row with the date behind it, in the place of the one with the same first cell. */
export async function writeCells(
  { document, name, columns, rows: order }: Table,
  cells: readonly string[],
): Promise<void> {
  const file = join(root, document)
  const text = readFileSync(file, 'utf8')
  const begin = `<!-- ${name}: begin -->`
  const from = text.indexOf(begin) + begin.length
  const to = text.indexOf(`<!-- ${name}: end -->`)
  const rows = new Map(rowsOf(text.slice(from, to)))
  const date = new Date().toISOString().slice(0, 10)
  rows.set(cells[0]!, `| ${[...cells, date].join(' | ')} |`)
  const lines = order.flatMap((row) => rows.get(row) ?? [])
  const head = [`| ${columns.join(' | ')} |`, `|${' --- |'.repeat(columns.length)}`]
  const made = `\n\n${[...head, ...lines].join('\n')}\n\n`
  const options = { ...(await resolveConfig(file)), filepath: file }
  writeFileSync(file, await format(text.slice(0, from) + made + text.slice(to), options))
}

/** The rows of a table by their first cells. */
const rowsOf = (table: string): [name: string, row: string][] =>
  [...table.matchAll(/^\| ([^|]+?) +\|.*$/gm)].map(([row, name]) => [name!, row])
