import { spawnSync } from 'node:child_process'
import { mkdirSync, openSync, closeSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../support/files.ts'
import { scratchFolder } from '../support/processes.ts'
import { rotate, say } from './progress.ts'
import { formatRatio, judge, median, ratioOf } from './statistics.ts'
import type { Section, Table } from './table.ts'

/** What signing may take of the time that `sha256sum` and `openssl dgst -sign` take together. */
const timeTarget = 1.1

/** What one command took, as a process of its own. */
interface TreeRun {
  ms: number
  /** Processor time of it, on all threads: what other work on the machine hardly changes. */
  cpuMs: number
  /** The most memory that it held, where it says so. */
  peakKb: number | undefined
}

type Command = [label: string, command: string, args: string[]]

const cli = join(root, 'dist/cli.js')
const tellPeak =
  'data:text/javascript,process.on("exit",()=>{const{maxRSS,userCPUTime,systemCPUTime}=process.resourceUsage();process.stderr.write(`peak ${maxRSS} cpu ${(userCPUTime+systemCPUTime)/1000}`)})'
const signedimp = (label: string, ...args: string[]): Command => [
  label,
  process.execPath,
  ['--import', tellPeak, cli, ...args],
]

/** Measures signing and verifying large folders, beside the tools that everybody has. */
export async function measureTree(quick: boolean): Promise<Section> {
  const files = quick ? 1000 : 10_000
  const cwd = makeKeys()
  makeFolder(join(cwd, 'dist'), files, 100_000)
  const commands: Command[] = [
    ['sha256sum and openssl', 'sh', ['-c', byHand]],
    signedimp('signedimp sign', 'sign', 'dist', '--key', 'key.pem', '--name', 'shop'),
    signedimp('signedimp verify', 'verify', 'dist', '--key', 'key.pub'),
  ]
  const runs = new Map<string, TreeRun[]>(commands.map(([label]) => [label, []]))
  // The first round fills the system's cache, and counts for nothing.
  for (const command of commands) run(command, cwd)
  for (let round = 0; round < (quick ? 2 : 5); round++)
    for (const command of rotate(commands, round)) {
      say(`tree: round ${round + 1}, ${command[0]}\n`)
      runs.get(command[0])!.push(run(command, cwd))
    }
  const large = measureLarge(cwd, quick)
  const tables = [timeTable(runs, files), memoryTable(large)]
  return { tables, data: { files, runs: Object.fromEntries(runs), large } }
}

const byHand =
  'cd dist && find . -type f ! -name signedimp-manifest.txt -print0 | sort -z | xargs -0 sha256sum > ../list && openssl dgst -sha256 -sign ../key.pem -out ../list.sig ../list && times >&2'

function makeKeys(): string {
  const cwd = scratchFolder()
  const openssl = (...args: string[]) => must(spawnSync('openssl', args, { cwd }))
  openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:3072', '-out', 'key.pem')
  openssl('pkey', '-in', 'key.pem', '-pubout', '-out', 'key.pub')
  return cwd
}

/** Makes files of some size, a hundred in a folder. */
function makeFolder(dir: string, files: number, size: number): void {
  const bytes = Buffer.from(Array.from({ length: size }, (_, at) => (at * at) % 251))
  for (let at = 0; at < files; at++) {
    const folder = join(dir, String(Math.floor(at / 100)))
    if (at % 100 === 0) mkdirSync(folder, { recursive: true })
    bytes.writeUInt32LE(at)
    writeFileSync(join(folder, `${at}.js`), bytes)
  }
}

function must<T extends { status: number | null; stderr: Buffer | string }>(ended: T): T {
  if (ended.status === 0) return ended
  throw new Error(`status ${ended.status}: ${ended.stderr}`)
}

function run([, command, args]: Command, cwd: string): TreeRun {
  const start = performance.now()
  const { stderr } = must(spawnSync(command, args, { cwd, encoding: 'utf8' }))
  const ms = performance.now() - start
  const [, peak, cpu] = /peak (\d+) cpu ([\d.]+)/.exec(stderr) ?? []
  if (cpu !== undefined) return { ms, cpuMs: Number(cpu), peakKb: Number(peak) }
  return { ms, cpuMs: timesOf(stderr), peakKb: undefined }
}

/** Milliseconds that the children of a shell took, as its `times` says in its last line. */
const timesOf = (text: string): number =>
  [
    ...text
      .trimEnd()
      .split('\n')
      .at(-1)!
      .matchAll(/(\d+)m([\d.]+)s/g),
  ]
    .map(([, minutes, seconds]) => (Number(minutes) * 60 + Number(seconds)) * 1000)
    .reduce((sum, ms) => sum + ms, 0)

interface LargeRun extends TreeRun {
  label: string
}

/** Many files, and a large one, once each: what counts is the memory. */
function measureLarge(cwd: string, quick: boolean): LargeRun[] {
  const files = quick ? 10_000 : 100_000
  makeFolder(join(cwd, 'many'), files, 100)
  mkdirSync(join(cwd, 'large'))
  closeSync(openSync(join(cwd, 'large/sparse.bin'), 'w'))
  truncateSync(join(cwd, 'large/sparse.bin'), quick ? 500e6 : 5e9)
  return [
    [`${files} files`, 'many'],
    [`a sparse file of ${quick ? '0.5' : '5'} GB`, 'large'],
  ].flatMap(([what, dir]) =>
    [
      signedimp(`${what}: sign`, 'sign', dir!, '--key', 'key.pem', '--name', 'shop'),
      signedimp(`${what}: verify`, 'verify', dir!, '--key', 'key.pub'),
    ].map((command) => {
      say(`tree: ${command[0]}\n`)
      return { label: command[0], ...run(command, cwd) }
    }),
  )
}

function timeTable(runs: ReadonlyMap<string, TreeRun[]>, files: number): Table {
  const all = [...runs].map(([label, list]) => ({
    label,
    ms: list.map((one) => one.ms),
    cpuMs: list.map((one) => one.cpuMs),
  }))
  const [first, ...rest] = all
  const times = ({ label, ms, cpuMs }: (typeof all)[0]) => [
    label,
    seconds(median(ms)),
    seconds(median(cpuMs)),
  ]
  const row = (one: (typeof all)[0]) => {
    const [ratio, cpu] = [ratioOf(one.ms, first!.ms), ratioOf(one.cpuMs, first!.cpuMs)]
    return [...times(one), formatRatio(ratio), formatRatio(cpu), judge(ratio, timeTarget)]
  }
  return {
    title: `Signing a folder of ${files} files of 100 kB`,
    notes: [
      `Processes in turn, files in the system's cache. Target: at most ${timeTarget} of sha256sum and openssl dgst -sign.`,
    ],
    columns: ['', 'seconds', 'cpu seconds', 'ratio', 'cpu ratio', 'target'],
    rows: [[...times(first!), '', '', ''], ...rest.map(row)],
  }
}

const memoryTable = (large: readonly LargeRun[]): Table => ({
  title: 'Large folders and files, once each',
  notes: ['Peak is the most memory that the process held; Node alone holds some 45 MB.'],
  columns: ['', 'seconds', 'peak MB'],
  rows: large.map(({ label, ms, peakKb }) => [label, seconds(ms), (peakKb! / 1024).toFixed(0)]),
})

const seconds = (ms: number): string => (ms / 1000).toFixed(2)
