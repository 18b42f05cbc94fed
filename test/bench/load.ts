import {
  launch,
  selectedEngines,
  type Engine,
  type EngineName,
  type Page,
} from '../support/browsers.ts'
import { whyMissing } from '../support/binaries.ts'
import type { Site } from '../../playground/server.ts'
import { deadline, rotate, say } from './progress.ts'
import { apps, serveVariants, type App, type ServedVariant, type Variant } from './sites.ts'
import type { Section } from './table.ts'
import { tablesOf } from './load-tables.ts'
import { visit, waterfall, type Visit } from './visit.ts'

/** Whether a page meets an empty cache, or that of its earlier loads. */
export type Warmth = 'cold' | 'warm'

/** All runs of one variant under the same conditions. */
export interface Cell {
  app: string
  warmth: Warmth
  engine: EngineName
  latency: number
  variant: Variant
  visits: Visit[]
  /** Why runs failed. They are repeated once, and missing from `visits` if that fails too. */
  failures: string[]
  /** Of the last cold run: file, asked for, answered, in milliseconds. */
  waterfall?: [string, number, number][]
}

interface Plan {
  latencies: number[]
  /** How often each variant is loaded under the same conditions, */
  runs: Record<Warmth, number>
  /** and after how many seconds no new round begins, so that a busy machine does not take for ever. */
  seconds: Record<Warmth, number>
}

const primingLoads = 3

/** Measures how long protected pages take to load, against plain ones, in turns. */
export async function measureLoad(quick: boolean): Promise<Section> {
  const plan: Plan = quick
    ? { latencies: [50], runs: { cold: 3, warm: 3 }, seconds: { cold: 30, warm: 15 } }
    : { latencies: [0, 50], runs: { cold: 9, warm: 7 }, seconds: { cold: 60, warm: 30 } }
  const missing = selectedEngines().flatMap((name) => whyMissing(name) ?? [])
  const names = selectedEngines().filter((name) => !whyMissing(name))
  const cells: Cell[] = []
  const versions: string[] = []
  const built = new Map<App, ServedVariant[]>()
  for (const app of apps) {
    say(`load: building, ${app.name}`)
    built.set(app, await serveVariants(app, plan.latencies))
  }
  for (const name of names) {
    const engine = await launch(name)
    versions.push(`${name} ${engine.version}`)
    for (const [app, served] of built) cells.push(...(await measureApp(engine, app, served, plan)))
    await engine.close()
  }
  for (const { sites } of [...built.values()].flat())
    for (const site of sites.values()) await site.close()
  const notes = [...versions, ...missing.map((why) => `NOT MEASURED: ${why}`)].join(', ')
  return { data: cells, tables: tablesOf(cells, notes) }
}

async function measureApp(engine: Engine, app: App, served: ServedVariant[], plan: Plan) {
  const cells: Cell[] = []
  for (const latency of plan.latencies) {
    const cellsOf = (warmth: Warmth) =>
      served.map(({ variant, sites }) => ({
        cell: {
          app: app.name,
          warmth,
          engine: engine.name,
          latency,
          variant,
          visits: [],
          failures: [],
        } as Cell,
        site: sites.get(latency)!,
      }))
    const [cold, warm] = [cellsOf('cold'), cellsOf('warm')]
    cells.push(...[...cold, ...warm].map(({ cell }) => cell))
    say(`load: ${engine.name}, ${app.name}, ${latency} ms, cold`)
    await measureCold(engine, app, cold, plan)
    say(`load: ${engine.name}, ${app.name}, ${latency} ms, warm`)
    await measureWarm(engine, app, warm, plan)
  }
  return cells
}

type Work = { cell: Cell; site: Site }[]

/** Each run in a context of its own, which has cached nothing. Round 0 warms the engine up and does not count. */
async function measureCold(engine: Engine, { hash }: App, work: Work, plan: Plan): Promise<void> {
  const isLate = deadline(plan.seconds.cold)
  for (let round = 0; round <= plan.runs.cold && !(round > 1 && isLate()); round++)
    for (const { cell, site } of rotate(work, round)) {
      const seen = await attempt(cell, () => visitOnce(engine, cell, site, hash))
      if (seen && round > 0) cell.visits.push(seen)
    }
}

async function visitOnce(engine: Engine, cell: Cell, site: Site, hash: string): Promise<Visit> {
  const page = await engine.open()
  try {
    const seen = await visit(page, site, hash)
    cell.waterfall = await waterfall(page)
    return seen
  } finally {
    await page.close()
  }
}

/** Each variant in a context that has loaded it before. */
async function measureWarm(engine: Engine, { hash }: App, work: Work, plan: Plan): Promise<void> {
  const pages = new Map<Cell, Page>()
  for (const { cell } of work) {
    const page = await attempt(cell, () => engine.open())
    if (page) pages.set(cell, page)
  }
  const opened = work.filter(({ cell }) => pages.has(cell))
  const isLate = deadline(plan.seconds.warm)
  for (let round = 1 - primingLoads; round <= plan.runs.warm && !(round > 1 && isLate()); round++)
    for (const { cell, site } of rotate(opened, round + primingLoads)) {
      const seen = await attempt(cell, () => visit(pages.get(cell)!, site, hash))
      if (seen && round > 0) cell.visits.push(seen)
    }
  for (const page of pages.values()) await page.close()
}

/** What fails is told, and tried once more: drivers of browsers fail now and then. */
async function attempt<T>(cell: Cell, run: () => Promise<T>): Promise<T | undefined> {
  for (let left = 2; left > 0; left--) {
    try {
      return await run()
    } catch (error) {
      const { message } = error as Error
      cell.failures.push(message)
      const { app, engine, latency, variant, warmth } = cell
      say(`FAILED: ${engine}, ${app}, ${variant}, ${latency} ms, ${warmth}: ${message}\n`)
    }
  }
  return undefined
}
