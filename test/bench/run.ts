/** npm run bench -- [--only size|build|load|entries|chains|workers|wasm|servers|tree] [--quick] [--json] [--write] */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { format } from 'prettier'
import { measureBuild } from './build.ts'
import { measureLoad } from './load.ts'
import { describeMachine, loadAverage } from './machine.ts'
import { say, sayNoMore } from './progress.ts'
import { chainApps, entryApps, pageApps } from './sites.ts'
import { measureServers } from './servers.ts'
import { measureSize } from './size.ts'
import { measureTree } from './tree.ts'
import { measureWasm } from './wasm.ts'
import { measureWorkers } from './workers.ts'
import { toMarkdown, toText, type Section, type Table } from './table.ts'

const parts: Record<string, (quick: boolean) => Promise<Section>> = {
  size: measureSize,
  build: measureBuild,
  load: (quick) => measureLoad(quick, pageApps),
  entries: (quick) => measureLoad(quick, entryApps),
  chains: (quick) => measureLoad(quick, chainApps),
  wasm: measureWasm,
  workers: measureWorkers,
  tree: measureTree,
  servers: measureServers,
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: Object.keys(parts) },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})
const { only, quick, json, write } = values
const unknown = only.find((name) => !Object.hasOwn(parts, name))
if (unknown !== undefined)
  throw new TypeError(`--only ${unknown}: must be one of ${Object.keys(parts).join(', ')}`)
if (write && (quick || only.length < Object.keys(parts).length))
  throw new TypeError('--write needs the whole benchmark: neither --quick nor --only')

const tables: Table[] = []
const data: Record<string, unknown> = { ...describeMachine(), quick, loadBefore: loadAverage() }
const started = performance.now()
for (const name of only) {
  const section = await parts[name]!(quick)
  sayNoMore()
  data[name] = section.data
  tables.push(...section.tables)
  if (!json) for (const table of section.tables) console.log(toText(table))
}
data.loadAfter = loadAverage()
const minutes = (performance.now() - started) / 60_000
const footer = `${Object.values(describeMachine()).join(', ')}; load average ${data.loadBefore} before, ${data.loadAfter} after; ${minutes.toFixed(1)} minutes${quick ? '; --quick: too few runs to conclude from' : ''}`
console.log(json ? JSON.stringify({ ...data, tables }, undefined, 2) : footer)
if (write) await writeResults()

async function writeResults(): Promise<void> {
  const text = `# Benchmark\n\n\`npm run bench -- --write\` wrote this: ${footer}.\n\n${tables.map(toMarkdown).join('\n')}`
  const file = new URL('./RESULTS.md', import.meta.url)
  await writeFile(file, await format(text, { parser: 'markdown' }))
  say('written: test/bench/RESULTS.md\n')
}
