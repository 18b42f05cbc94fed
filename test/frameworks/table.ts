import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { root } from '../support/files.ts'
import { frameworks } from './all.ts'
import type { Framework } from './framework.ts'

const file = join(root, 'docs/frameworks.md')
const [begin, end] = ['<!-- frameworks: begin -->', '<!-- frameworks: end -->']
const columns = ['Framework', 'Versions', 'By', 'Set for it', 'Result', 'First load', 'Run on']

/** What one run found out about a framework. */
export interface Row {
  framework: Framework
  versions: string
  result: string
  load: string
}

/** Writes a row of the table; the rows of frameworks that were not run stay. Another run may write meanwhile. */
export async function writeRow(row: Row): Promise<void> {
  const options = { ...(await resolveConfig(file)), filepath: file }
  for (;;) {
    const text = readFileSync(file, 'utf8')
    const formatted = await format(withRow(text, row), options)
    if (readFileSync(file, 'utf8') === text) return writeFileSync(file, formatted)
  }
}

function withRow(text: string, { framework, versions, result, load }: Row): string {
  const from = text.indexOf(begin) + begin.length
  const to = text.indexOf(end)
  const by = framework.plugin ? 'plugin' : '`signedimp seal`'
  const date = new Date().toISOString().slice(0, 10)
  const cells = [framework.name, versions, by, framework.configured, result, load, date]
  const rows = new Map(rowsOf(text.slice(from, to)))
  rows.set(framework.name, `| ${cells.join(' | ')} |`)
  const lines = frameworks.flatMap(({ name }) => rows.get(name) ?? [])
  const head = [`| ${columns.join(' | ')} |`, `|${' --- |'.repeat(columns.length)}`]
  return `${text.slice(0, from)}\n\n${[...head, ...lines].join('\n')}\n\n${text.slice(to)}`
}

/** The rows of a table by their first cells. */
const rowsOf = (table: string): [name: string, row: string][] =>
  [...table.matchAll(/^\| ([^|]+?) +\|.*$/gm)].map(([row, name]) => [name!, row])
