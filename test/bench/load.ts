import { whyMissing } from '../support/binaries.ts'
import { launch, selectedEngines, type Engine, type Page } from '../support/browsers.ts'
import { tablesOf } from './load-tables.ts'
import { say, shareTime } from './progress.ts'
import { closeVariants, serveVariants, type App, type ServedVariant } from './sites.ts'
import type { Section } from './table.ts'
import { attempt, takeTurns, type Cell, type Job, type Rounds, type Warmth } from './turns.ts'
import { visit, waterfall } from './visit.ts'

/** How much is measured. */
interface Plan {
  latencies: number[]
  /** How often each variant is loaded under the same conditions, if there is time. */
  runs: Record<Warmth, number>
  /** Minutes for all; on a busy machine fewer runs are done in them. */
  minutes: number
}

const quickPlan: Plan = { latencies: [50], runs: { cold: 3, warm: 3 }, minutes: 5 }
const fullPlan: Plan = { latencies: [0, 50], runs: { cold: 9, warm: 7 }, minutes: 18 }

/** Runs that do not count, and the part of an app's time that all runs get. */
const kinds: Record<Warmth, { uncounted: number; weight: number }> = {
  cold: { uncounted: 1, weight: 2 },
  warm: { uncounted: 3, weight: 1 },
}

/** Measures how long protected apps take to load, against plain ones, in turns. */
export async function measureLoad(quick: boolean, apps: App[]): Promise<Section> {
  const plan = quick ? quickPlan : fullPlan
  const names = selectedEngines().filter((name) => !whyMissing(name))
  const missing = selectedEngines().flatMap((name) => whyMissing(name) ?? [])
  const served = new Map<App, ServedVariant[]>()
  for (const app of apps) {
    say(`load: building, ${app.name}`)
    served.set(app, await serveVariants(app, plan.latencies))
  }
  const share = shareTime(plan.minutes * 60, names.length * partsOf(plan, apps))
  const cells: Cell[] = []
  const notes = missing.map((why) => `NOT MEASURED: ${why}`)
  for (const name of names) {
    const engine = await launch(name)
    notes.push(`${name} ${engine.version}`)
    for (const [app, variants] of served)
      cells.push(...(await measureApp(engine, app, variants, plan, share)))
    await engine.close()
  }
  for (const variants of served.values()) await closeVariants(variants)
  return { data: cells, tables: tablesOf(cells, apps, notes.join(', ')) }
}

const partsOf = ({ latencies }: Plan, apps: App[]): number =>
  latencies.length *
  (kinds.cold.weight + kinds.warm.weight) *
  apps.reduce((sum, { weight }) => sum + weight, 0)

async function measureApp(
  engine: Engine,
  app: App,
  variants: ServedVariant[],
  plan: Plan,
  share: ReturnType<typeof shareTime>,
): Promise<Cell[]> {
  const cells: Cell[] = []
  for (const latency of plan.latencies)
    for (const warmth of ['cold', 'warm'] as const) {
      say(`load: ${engine.name}, ${app.name}, ${latency} ms, ${warmth}`)
      const jobs = variants.map(({ variant, sites }): Job => {
        const conditions = { app: app.name, warmth, engine: engine.name, latency, variant }
        return { cell: { ...conditions, visits: [], failures: [] }, site: sites.get(latency)! }
      })
      cells.push(...jobs.map(({ cell }) => cell))
      const { uncounted, weight } = kinds[warmth]
      const isLate = share(weight * app.weight)
      const rounds: Rounds = { uncounted, counted: plan.runs[warmth], isLate }
      await (warmth === 'cold' ? measureCold : measureWarm)(engine, app, jobs, rounds)
    }
  return cells
}

/** Each run in a context of its own, which has cached nothing. */
const measureCold = (engine: Engine, { hash }: App, jobs: Job[], rounds: Rounds): Promise<void> =>
  takeTurns(jobs, rounds, async ({ cell, site }) => {
    const page = await engine.open()
    try {
      const seen = await visit(page, site, hash)
      cell.waterfall = await waterfall(page)
      return seen
    } finally {
      await page.close()
    }
  })

/** Each variant in a context that has loaded it before. */
async function measureWarm(engine: Engine, { hash }: App, jobs: Job[], rounds: Rounds) {
  const pages = new Map<Cell, Page>()
  for (const { cell } of jobs) {
    const page = await attempt(cell, () => engine.open())
    if (page) pages.set(cell, page)
  }
  const opened = jobs.filter(({ cell }) => pages.has(cell))
  await takeTurns(opened, rounds, ({ cell, site }) => visit(pages.get(cell)!, site, hash))
  for (const page of pages.values()) await page.close()
}
