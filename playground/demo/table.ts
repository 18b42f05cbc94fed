/** The demo without eyes: every way to tamper with three chunks, in a browser, as a table. */
import type { Site } from '../server.ts'
import { ways, type Way } from '../tamper.ts'
import type { DemoFile } from './control.ts'

/** What the table needs of a browser's page: the value of an expression, promises awaited. */
export interface Evaluates {
  evaluate(expression: string): Promise<unknown>
}

/** What came of one attack. */
export interface Row {
  way: Way | 'honest'
  path: string
  verdict: string
  code: string
  /** How altered code was seen to run; empty if it was not. */
  evil: string
  started: boolean
  shown: number
  pages: number
  /** Whether the browser ever asked for the file: an attack that nobody met proves nothing. */
  met: boolean
}

interface Outcome {
  chunks: Record<string, { verdict: string; code: string }>
  evil: string
  started: boolean
  pages: Record<string, string>
}

// Long enough for a busy machine; only what never answers takes all of it.
const patience = 4000
const details: Partial<Record<Way, string>> = { slow: '500' }

/** The three chunks: one lazy, one that lazy ones share, and the main one. */
export function targets(files: DemoFile[]): string[] {
  const first = (role: DemoFile['role'], name = '') =>
    files.find((file) => file.role === role && file.path.includes(name))!.path
  return [first('lazy'), first('shared', 'catalog'), first('main')]
}

/** Attacks one after the other; the first row is the honest app, which must work. */
export async function* attack(page: Evaluates, site: Site, paths: string[]): AsyncGenerator<Row> {
  yield await check(page, site, paths[0]!, 'honest')
  for (const path of paths) {
    for (const way of Object.keys(ways) as Way[]) yield await check(page, site, path, way)
  }
}

async function check(page: Evaluates, site: Site, path: string, way: Row['way']): Promise<Row> {
  const attack = way === 'honest' ? [] : [path, way, { patience, detail: details[way] }]
  const call = `demo.check(...${JSON.stringify(attack)})`
  const { chunks, evil, started, pages } = (await page.evaluate(call)) as Outcome
  const opened = Object.values(pages)
  return {
    ...{ way, path, evil, started },
    ...{ verdict: chunks[path]!.verdict, code: chunks[path]!.code },
    shown: opened.filter((line) => line.startsWith('shown ')).length,
    pages: opened.length,
    met: site.requests.some((request) => request.path === path),
  }
}

/** Why a row fails the demo, or undefined. */
export function failure({ way, evil, started, shown, pages, met }: Row): string | undefined {
  if (evil) return evil
  if (!met) return 'the browser never asked for the file'
  if (way === 'honest' && !(started && shown === pages && pages > 0)) return 'the honest app fails'
  return undefined
}

const columns = [21, 25, 9, 30, 10]

/** A line of the table. */
export const line = (cells: string[]): string =>
  cells
    .map((cell, at) => cell.padEnd(columns[at] ?? 0))
    .join('')
    .trimEnd()

/** The line above all. */
export const heading = line(['way', 'chunk', 'outcome', 'code', 'evil ran', 'rest of the app'])

/** A row as a line. */
export function format(row: Row): string {
  const { way, path, verdict, code, evil, started, shown, pages } = row
  const rest = started ? `alive, ${shown} of ${pages} pages` : 'not started'
  const file = way === 'honest' ? '' : path.replace('assets/', '')
  return line([way, file, verdict, code || '-', evil ? 'YES' : 'no', rest])
}
