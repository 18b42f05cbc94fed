import type { Site } from '../../playground/server.ts'
import type { EngineName } from '../support/browsers.ts'
import { rotate, say } from './progress.ts'
import type { Variant } from './sites.ts'
import type { Visit } from './visit.ts'

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

/** A variant that takes its turns. */
export interface Job {
  cell: Cell
  site: Site
}

/** How many turns there are. */
export interface Rounds {
  /** Rounds that only prepare the engine or the cache. */
  uncounted: number
  counted: number
  /** Whether the time is over. One round is counted even then. */
  isLate(): boolean
}

/** Loads each variant once a round, so that what slows the machine down for a while meets them all. */
export async function takeTurns(
  jobs: Job[],
  { uncounted, counted, isLate }: Rounds,
  load: (job: Job) => Promise<Visit>,
): Promise<void> {
  for (let round = 1 - uncounted; round <= counted && !(round > 1 && isLate()); round++)
    for (const job of rotate(jobs, round + uncounted)) {
      const seen = await attempt(job.cell, () => load(job))
      if (seen && round > 0) job.cell.visits.push(seen)
    }
}

/** What fails is told, and tried once more: drivers of browsers fail now and then. */
export async function attempt<T>(cell: Cell, run: () => Promise<T>): Promise<T | undefined> {
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
