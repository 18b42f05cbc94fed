import type { TestSite } from '../support/app.ts'
import type { Engine } from '../support/page.ts'
import { ratioOf, type Ratio } from '../bench/statistics.ts'
import { visit } from '../bench/visit.ts'

/** Milliseconds before each response, and how often each app is loaded. */
export const conditions = { latency: 50, loads: 11 }

/** Loads two apps in turns, each time with nothing in the cache, until the first page runs. */
export async function compareLoads(
  engine: Engine,
  [plain, signed]: readonly [TestSite, TestSite],
): Promise<Ratio> {
  const times = new Map<TestSite, number[]>([
    [plain, []],
    [signed, []],
  ])
  for (let round = 0; round <= conditions.loads; round++)
    for (const site of round % 2 ? [plain, signed] : [signed, plain]) {
      const page = await engine.open()
      const { ms } = await visit(page, site, '')
      await page.close()
      // The first round only prepares the engine.
      if (round > 0) times.get(site)!.push(ms)
    }
  return ratioOf(times.get(signed)!, times.get(plain)!)
}
