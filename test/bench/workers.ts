import { generateKey } from '../../src/keys/generate.ts'
import { serveApp, type TestSite } from '../support/app.ts'
import { whyMissing } from '../support/binaries.ts'
import { launch, selectedEngines, type Page } from '../support/browsers.ts'
import { look } from '../support/visit.ts'
import { buildWorkers, keepScripts } from '../support/workers-app.ts'
import { rotate, say } from './progress.ts'
import { formatRatio, median, ratioOf } from './statistics.ts'
import type { Section } from './table.ts'

/** How a worker comes to its script. */
const ways = ['plain', 'fetched before', 'fetched by itself'] as const
type Way = (typeof ways)[number]

/** Milliseconds from the constructor to the first message, of each run. */
type Times = Record<Way, number[]>

/** Measures how long workers take to say something, against those of an unsigned build, in turns. */
export async function measureWorkers(quick: boolean): Promise<Section> {
  const plain = await serveApp(await buildWorkers(undefined))
  const signed = await serveApp(await buildWorkers(await generateKey('ecdsa-p256')))
  const found = new Map<string, Times>()
  for (const name of selectedEngines().filter((engine) => !whyMissing(engine))) {
    say(`workers: ${name}`)
    const engine = await launch(name)
    found.set(`${name} ${engine.version}`, await measure(await engine.open(), plain, signed, quick))
    await engine.close()
  }
  for (const site of [plain, signed]) await site.close()
  return { data: Object.fromEntries(found), tables: [tableOf(found)] }
}

async function measure(page: Page, plain: TestSite, signed: TestSite, quick: boolean) {
  const times: Times = { plain: [], 'fetched before': [], 'fetched by itself': [] }
  const rounds = quick ? 3 : 15
  for (let round = 0; round <= rounds; round++)
    for (const way of rotate([...ways], round)) {
      const site = way === 'plain' ? plain : signed
      site.reset()
      if (way === 'fetched by itself') keepScripts(site)
      const time = await timeOf(page, site)
      if (round > 0) times[way].push(time)
    }
  return times
}

async function timeOf(page: Page, site: TestSite): Promise<number> {
  await page.goto(site.url)
  await look(page)
  await new Promise((settle) => setTimeout(settle, 300))
  return page.evaluate(
    () =>
      new Promise<number>((settle) => {
        const { make } = globalThis as never as { make: Record<string, () => Worker> }
        const start = performance.now()
        const worker = make.order!()
        worker.onmessage = () => {
          settle(performance.now() - start)
          worker.terminate()
        }
        worker.postMessage('end')
      }),
  )
}

function tableOf(found: ReadonlyMap<string, Times>) {
  const rows = [...found].map(([engine, times]) => [
    engine,
    `${median(times.plain).toFixed(1)} ms`,
    ...ways.slice(1).flatMap((way) => {
      const ratio = ratioOf(times[way], times.plain)
      return [`${median(times[way]).toFixed(1)} ms`, formatRatio(ratio)]
    }),
  ])
  const columns = ['', 'plain', 'fetched before', 'ratio', 'fetched by itself', 'ratio']
  const notes = ['From `new Worker` to its first message. Ratios to plain, with 95 % confidence.']
  return { title: 'Workers: time to the first message', notes, columns, rows }
}
