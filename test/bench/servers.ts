import { createHash } from 'node:crypto'
import { basename, join } from 'node:path'
import { rollup } from 'rollup'
import { signedImp } from 'signedimp'
import { writeFiles } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import type { Runtime } from '../support/runtimes.ts'
import { key, run } from '../support/server-app.ts'
import { runProgram, servers, signProgram } from '../support/server-program.ts'
import { rotate, say } from './progress.ts'
import { formatRatio, median, ratioOf } from './statistics.ts'
import type { Section, Table } from './table.ts'

/** A way to run a program. */
type Way = 'plain' | 'signed'

/** What the program says of itself. */
interface Seen {
  /** Milliseconds from the start of the process to the end of the last module. */
  ms: number
  /** Megabytes of memory (resident set). */
  memory: number
  /** Microseconds that a second import of the same module takes. */
  again: number
}

/** Starts a program, plain or signed, which measures second imports where it is told `again`. */
type Start = (runtime: Runtime, way: Way, ...args: string[]) => { stdout: string; stderr: string }

const programs: Record<string, () => Promise<Start>> = {
  '31 modules, 1 MB': () => preload(write(30, 33_000)),
  'a bundle of 31 chunks, 1 MB': () => bundle(write(30, 33_000)),
  '1,000 modules': () => preload(write(999, 400)),
}

/** Modules that one imports, each with text that is parsed. */
function write(count: number, size: number): Record<string, string> {
  const files: Record<string, string> = { 'package.json': '{"type":"module"}' }
  for (let at = 0; at < count; at++) {
    const noise = createHash('sha256').update(String(at)).digest('hex')
    const line = `export function f${noise}(a, b) { return a * b + ${at} }\n`
    const text = Array.from({ length: Math.ceil(size / line.length) }, (_, row) =>
      line.replace('(a', `${row}(a`),
    )
    files[`chunk-${at}.js`] = text.join('')
  }
  const imports = Array.from({ length: count }, (_, at) => `import './chunk-${at}.js'`)
  files['main.mjs'] = `${imports.join('\n')}
const { rss } = process.memoryUsage()
let again = 0
if (process.argv[2] === 'again') {
  for (let left = 50; left > 0; left--) await import('./chunk-0.js')
  const began = performance.now()
  for (let left = 1000; left > 0; left--) await import('./chunk-0.js')
  again = performance.now() - began
}
console.log(JSON.stringify({ memory: rss / 1e6, again }))
process.exit(0)
`
  return files
}

/** A program that nobody bundles, with `signedimp/node` loaded before it. */
async function preload(files: Record<string, string>): Promise<Start> {
  const program = await signProgram(files)
  return (runtime, way, ...args) => runProgram(runtime, program, { isPlain: way === 'plain', args })
}

/** A program that Rollup makes, whose entry is its bootstrap where it is signed. */
async function bundle(files: Record<string, string>): Promise<Start> {
  const folder = scratchFolder()
  await writeFiles(join(folder, 'src'), files)
  const build = async (way: Way) => {
    const plugins = way === 'signed' ? [signedImp(key, { name: 'program', server: true })] : []
    const input = join(folder, 'src/main.mjs')
    const built = await rollup({ input, plugins, treeshake: false, onLog: () => {} })
    await built.write({
      dir: join(folder, way),
      entryFileNames: '[name].mjs',
      chunkFileNames: '[name].mjs',
      manualChunks: (id) => (id === input ? null : basename(id, '.js')),
    })
    await built.close()
  }
  for (const way of ['plain', 'signed'] as Way[]) await build(way)
  return (runtime, way, ...args) => run(runtime, join(folder, way, 'main.mjs'), ...args)
}

/** Measures what it costs to start a program with hooks, in each runtime, in turns. */
export async function measureServers(quick: boolean): Promise<Section> {
  const tables: Table[] = []
  const data: Record<string, unknown> = {}
  for (const [title, make] of Object.entries(programs)) {
    const start = await make()
    const found = servers
      .filter(({ missing }) => !missing)
      .map((runtime) => {
        say(`servers: ${title}, ${runtime.name}`)
        return [runtime.name, measure(runtime, start, quick ? 3 : 20)] as const
      })
    data[title] = Object.fromEntries(found)
    tables.push(tableOf(title, found))
  }
  return { tables, data }
}

function measure(runtime: Runtime, start: Start, rounds: number): Record<Way, Seen[]> {
  const seen: Record<Way, Seen[]> = { plain: [], signed: [] }
  for (let round = 0; round <= rounds; round++)
    for (const way of rotate(['plain', 'signed'] as Way[], round)) {
      const began = performance.now()
      const { memory } = tell(start(runtime, way))
      const ms = performance.now() - began
      const { again } = tell(start(runtime, way, 'again'))
      // The first one warms the disk's cache up.
      if (round > 0) seen[way].push({ memory, again, ms })
    }
  return seen
}

function tell({ stdout, stderr }: ReturnType<Start>): Omit<Seen, 'ms'> {
  if (!stdout) throw new Error(stderr)
  return JSON.parse(stdout) as Omit<Seen, 'ms'>
}

function tableOf(title: string, found: (readonly [string, Record<Way, Seen[]>])[]): Table {
  const middle = (runs: Seen[], what: keyof Seen) => median(runs.map((run) => run[what])).toFixed(0)
  const rows = found.map(([name, { plain, signed }]) => [
    name,
    `${middle(plain, 'ms')} ms`,
    `${middle(signed, 'ms')} ms`,
    formatRatio(
      ratioOf(
        signed.map(({ ms }) => ms),
        plain.map(({ ms }) => ms),
      ),
    ),
    `${middle(plain, 'memory')} MB`,
    `${middle(signed, 'memory')} MB`,
    `${middle(plain, 'again')} µs`,
    `${middle(signed, 'again')} µs`,
  ])
  return {
    title: `Servers: ${title}`,
    notes: [
      'The whole process, from its start to its end. Ratios to plain, with 95 % confidence. Last: a cached second import.',
    ],
    columns: ['', 'plain', 'signed', 'ratio', 'memory', 'signed', 'again', 'signed'],
    rows,
  }
}
