import { execFile } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { generateKey, type KeyAlgorithm } from '../../src/keys/generate.ts'
import { scratchFolder } from '../support/processes.ts'
import { checkApp, writeApp, type AppShape } from './apps.ts'
import { readProfile, type ProfileSums } from './profile.ts'
import { deadline, rotate, say } from './progress.ts'
import { formatRatio, judge, median, ratioOf, summarize } from './statistics.ts'
import type { Section, Table } from './table.ts'

/** What builds are measured with: Vite and esbuild have a page, the others an entry that no page starts. */
export type Bundler = 'vite' | 'rollup' | 'rolldown' | 'esbuild'

/** What one build in a process of its own took. */
export interface BuildRun {
  /** Wall time of the build. */
  ms: number
  /** Processor time of it, on all threads: what other work on the machine hardly changes. */
  cpuMs: number
  /** Loading the plugin, which a build does before. */
  importMs: number
  /** The most memory that the process ever held. */
  peakKb: number
  /** Milliseconds by hook, where they were asked for: with what a hook waits for, so that overlapping calls count twice. */
  hooks: Record<string, number>
}

/** esbuild takes so little time itself that what is signed weighs more. */
const timeTargets: Record<Bundler, number> = {
  vite: 1.03,
  rollup: 1.03,
  rolldown: 1.03,
  esbuild: 1.15,
}
const memoryTarget = 50

interface Variant {
  label: string
  keyFile?: string
}

type Runs = Map<string, BuildRun[]>

/** Measures what the plugin adds to builds of many chunks. */
export async function measureBuild(quick: boolean): Promise<Section> {
  const shape: AppShape = { pages: quick ? 200 : 1000, shared: 5 }
  const root = scratchFolder()
  await writeApp(root, shape)
  const keyFile = await saveKey('ed25519')
  const other = { label: 'RSA-PSS 3072', keyFile: await saveKey('rsa-pss') }
  const tables: Table[] = []
  const data: Record<string, unknown> = { shape }
  for (const bundler of ['vite', 'rollup', 'rolldown', 'esbuild'] as const) {
    const variants = [{ label: 'plain' }, { label: 'Ed25519', keyFile }]
    if (bundler === 'vite') variants.push(other)
    const runs = await measureBundler({ bundler, root, shape }, variants, quick)
    data[bundler] = Object.fromEntries(runs)
    tables.push(compare(bundler, runs, shape))
  }
  const options: BuildOptions = { bundler: 'vite', root, keyFile, shape }
  const { hooks, ms } = await buildOnce({ ...options, marks: true })
  const profile = await profileOnce(options)
  return { data: { ...data, hooks, profile }, tables: [...tables, whereItGoes(hooks, ms, profile)] }
}

async function measureBundler(
  options: Omit<BuildOptions, 'keyFile'>,
  variants: Variant[],
  quick: boolean,
): Promise<Runs> {
  const rounds = quick ? 3 : 9
  const runs: Runs = new Map(variants.map(({ label }) => [label, []]))
  // Round 0 fills the disk cache and does not count.
  const isLate = deadline(quick ? 60 : 150)
  for (let round = 0; round <= rounds && !(round > 1 && isLate()); round++)
    for (const { label, keyFile } of rotate(variants, round)) {
      say(`build: ${options.bundler}, round ${round} of ${rounds}, ${label}`)
      const run = await buildOnce({ ...options, keyFile })
      if (round > 0) runs.get(label)!.push(run)
    }
  return runs
}

async function saveKey(algorithm: KeyAlgorithm): Promise<string> {
  const file = join(scratchFolder(), 'key.pem')
  const key = await generateKey(algorithm)
  await writeFile(file, key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  return file
}

interface BuildOptions {
  bundler: Bundler
  root: string
  keyFile: string | undefined
  shape: AppShape
  marks?: boolean
  /** Flags of Node. */
  flags?: string[]
}

const script = fileURLToPath(new URL('./build-once.ts', import.meta.url))

async function buildOnce(options: BuildOptions) {
  const { bundler, root, keyFile, shape, marks = false, flags = [] } = options
  const outDir = join(root, 'dist')
  const args = [
    ...flags,
    '--import',
    'tsx',
    script,
    bundler,
    root,
    outDir,
    keyFile ?? '',
    marks ? 'marks' : '',
  ]
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 300_000 })
  if (bundler === 'vite' || bundler === 'esbuild') await checkApp(outDir, shape)
  await rm(outDir, { recursive: true })
  return JSON.parse(stdout) as BuildRun
}

async function profileOnce(options: BuildOptions): Promise<ProfileSums> {
  const folder = scratchFolder()
  await buildOnce({ ...options, flags: ['--cpu-prof', `--cpu-prof-dir=${folder}`] })
  const ours = new URL('../../dist/', import.meta.url).href
  return readProfile(folder, (url) => url.startsWith(ours))
}

function compare(bundler: Bundler, runs: Runs, { pages, shared }: AppShape): Table {
  const plain = runs.get('plain')!
  const rows = [...runs].map(([label, ours]) => {
    const time = summarize(times(ours))!
    const cpu = summarize(ours.map(({ cpuMs }) => cpuMs))!
    const memory = summarize(ours.map(({ peakKb }) => peakKb / 1024))!
    const cells = [label, String(time.runs), spread(time), spread(cpu), spread(memory)]
    if (ours === plain) return [...cells, '', '', '', '', '', '']
    const ratio = ratioOf(times(ours), times(plain))
    const more = memory.median - median(plain.map(({ peakKb }) => peakKb / 1024))
    return [
      ...cells,
      formatRatio(ratio, 3),
      judge(ratio, timeTargets[bundler]),
      (time.min / Math.min(...times(plain))).toFixed(3),
      (cpu.median / median(plain.map(({ cpuMs }) => cpuMs))).toFixed(3),
      `${more.toFixed(0)} MB`,
      more <= memoryTarget ? 'met' : 'missed',
    ]
  })
  return {
    title: `Build, ${bundler}`,
    notes: [
      `A build of a generated app of ${pages} lazy and ${shared} shared chunks of 20 KB, each build in a fresh process, in turns.`,
      'Medians, least and most in brackets; the ratio of medians with its 95 % interval, that of the shortest times, that of processor time.',
      `Targets: at most ${timeTargets[bundler]} times the time and ${memoryTarget} MB more at the peak.`,
    ],
    columns: [
      '',
      'runs',
      'time, ms',
      'processor, ms',
      'peak memory, MB',
      'ratio of time',
      'time',
      'of the shortest',
      'of processor',
      'more memory',
      'memory',
    ],
    rows,
  }
}

const times = (runs: BuildRun[]): number[] => runs.map(({ ms }) => ms)

const spread = ({ median, min, max }: { median: number; min: number; max: number }): string =>
  `${median.toFixed(0)} (${min.toFixed(0)}-${max.toFixed(0)})`

function whereItGoes(hooks: BuildRun['hooks'], total: number, profile: ProfileSums): Table {
  const { functions, garbageMs, busyMs } = profile
  const named = Object.entries(hooks).sort((a, b) => b[1] - a[1])
  const row = (name: string, milliseconds: number) => [name, milliseconds.toFixed(1)]
  return {
    title: 'Where the build goes',
    notes: [
      `One build with the Ed25519 key of ${total.toFixed(0)} ms: wall time of each hook; and another one under the profiler: time on the main thread by`,
      'function of the package, each with what it calls that is not the package.',
    ],
    columns: ['', 'ms'],
    rows: [
      ...named.map(([name, ms]) => row(`hook ${name}`, ms)),
      ...functions.slice(0, 15).map(([name, ms]) => row(`function ${name}`, ms)),
      row(
        'all functions of the package',
        functions.reduce((sum, [, ms]) => sum + ms, 0),
      ),
      row('garbage collection, whoever left it', garbageMs),
      row('main thread busy', busyMs),
    ],
  }
}
