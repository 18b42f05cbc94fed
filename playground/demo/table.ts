/** The demo without eyes: every way to tamper with three chunks, in a browser, as a table. */
import { ways, type Way } from '../tamper.ts'
import type { Engine } from '../../test/support/browsers.ts'
import type { DemoFile } from './control.ts'

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
  asked: boolean
}

/** What the panel leaves in `demo`. */
interface Outcome {
  error?: string
  chunks: Record<string, { verdict: string; code: string }>
  evil: string
  started: boolean
  asked: boolean
  pages: Record<string, string>
}

// Long enough for a busy machine; only what never answers takes all of it.
const patience = 4000
const details: Partial<Record<Way, string>> = { slow: '500' }

/** The three chunks: one lazy, one that lazy ones share, and the main one. */
export function targets(files: DemoFile[]): string[] {
  const first = (role: DemoFile['role'], isLater: boolean) =>
    files.find((file) => file.role === role && file.isLater === isLater)!.path
  return [first('lazy', true), first('shared', true), first('main', false)]
}

/** Attacks one after the other; the first row is the honest app, which must work. */
export async function* attack(
  engine: Engine,
  address: string,
  paths: string[],
): AsyncGenerator<Row> {
  yield await check(engine, address, paths[0]!, 'honest')
  for (const path of paths) {
    for (const way of Object.keys(ways) as Way[]) yield await check(engine, address, path, way)
  }
}

async function check(engine: Engine, address: string, path: string, way: Row['way']): Promise<Row> {
  const query = new URLSearchParams({ patience: String(patience) })
  if (way !== 'honest') query.append('file', path)
  if (way !== 'honest') query.append('way', way)
  if (details[way as Way]) query.append('detail', details[way as Way]!)
  // A page of its own for each: WebKit's memory hands out scripts again that were sent as "no-store".
  const page = await engine.open(`${address}?${query}`)
  const outcome = await page.waitFor<Outcome>('globalThis.demo', 60_000)
  await page.close()
  if (outcome.error) throw new Error(outcome.error)
  const { chunks, evil, started, asked, pages } = outcome
  const opened = Object.values(pages)
  return {
    way,
    path,
    evil,
    started,
    asked,
    verdict: chunks[path]!.verdict,
    code: chunks[path]!.code,
    shown: opened.filter((line) => line.startsWith('shown ')).length,
    pages: opened.length,
  }
}

/** Why a row fails the demo, or undefined. */
export function failure({ way, evil, started, shown, pages, asked }: Row): string | undefined {
  if (evil) return evil
  if (way !== 'honest') return asked ? undefined : 'the browser never asked for the file'
  return started && pages > 0 && shown === pages ? undefined : 'the honest app fails'
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
  return line([way, file, evil ? 'run' : verdict, code || '-', evil ? 'YES' : 'no', rest])
}
