import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build as buildWithEsbuild } from 'esbuild'
import { signedImp, type SignedImpOptions } from 'signedimp'
import { signedImp as forEsbuild } from 'signedimp/esbuild'
import type { InlineConfig } from 'vite'
import { generateKey } from '../../src/keys/generate.ts'
import type { ViteName } from '../bundlers/built.ts'
import { writeFiles } from './fixture.ts'
import { scratchFolder } from './processes.ts'
import { runtimes, type Runtime } from './runtimes.ts'

/** What builds programs for servers. */
export const bundlers = ['esbuild', 'rollup', 'rolldown', 'vite'] as const

export type Bundler = (typeof bundlers)[number]

/** As bundlers call what they can make of a program. */
export type Format = 'esm' | 'cjs'

/** What all programs of tests are signed with. */
export const key = await generateKey('ed25519')

/** A program of two entries, which share a module; one loads another module later. */
export const programFiles: Record<string, string> = {
  'src/server.js': `import { shared } from './shared.js'
export const handler = (name) => 'hello ' + name + shared
export let count = 0
export const add = () => ++count
export default () => import('./lazy.js')
console.log('server', shared)
import('./lazy.js').then(
  (lazy) => console.log('lazy', lazy.default),
  (error) => console.log('refused', error.code, error.path),
)
`,
  'src/admin.js': `import { shared } from './shared.js'\nconsole.log('admin', shared)\n`,
  'src/shared.js': `export const shared = 'shared'\n`,
  'src/lazy.js': `import { shared } from './shared.js'\nexport default 'later ' + shared\n`,
}

/** How a program is built. */
export interface ProgramOptions {
  format?: Format
  files?: Record<string, string>
  /** Names of the entries, below src/. */
  entries?: readonly string[]
  signed?: SignedImpOptions
  /** What is left outside of the output. */
  external?: readonly string[]
  /** Where the program is, if it is there already. */
  folder?: string
  /** Which Vite builds it, if one does. */
  vite?: ViteName
}

/** Builds a program into `dist` of its folder, with names that a test can tell. @returns that folder */
export async function buildProgram(
  bundler: Bundler,
  { files = programFiles, folder = scratchFolder(), ...options }: ProgramOptions = {},
): Promise<string> {
  await writeFiles(folder, { 'package.json': '{"name":"program","type":"module"}', ...files })
  const { entries = ['server', 'admin'] } = options
  const inputs = Object.fromEntries(entries.map((name) => [name, join(folder, `src/${name}.js`)]))
  await builders[bundler](folder, inputs, options)
  return join(folder, 'dist')
}

type Build = (
  folder: string,
  inputs: Record<string, string>,
  options: Omit<ProgramOptions, 'files' | 'folder'>,
) => Promise<void>

const extensionOf = (format: Format): string => (format === 'cjs' ? '.cjs' : '.js')

const builders: Record<Bundler, Build> = {
  async esbuild(folder, inputs, { format = 'esm', signed, external = [] }) {
    await buildWithEsbuild({
      absWorkingDir: folder,
      entryPoints: Object.values(inputs),
      bundle: true,
      platform: 'node',
      format,
      splitting: format === 'esm',
      outdir: 'dist',
      outExtension: { '.js': extensionOf(format) },
      chunkNames: '[name]-[hash]',
      external: [...external],
      logLevel: 'silent',
      plugins: [forEsbuild(key, { name: 'program', ...signed })],
    })
  },

  rollup: (...program) => bundle('rollup', ...program),
  rolldown: (...program) => bundle('rolldown', ...program),

  async vite(folder, inputs, options) {
    const { build } = (await import(options.vite ?? 'vite')) as typeof import('vite')
    await build(forVite(folder, inputs, options))
  },
}

/** What Vite is told to build a program. */
export const forVite = (
  folder: string,
  input: Record<string, string>,
  { format = 'esm', signed, external = [] }: ProgramOptions,
): InlineConfig => ({
  root: folder,
  configFile: false,
  logLevel: 'error',
  ssr: { external: [...external] },
  plugins: [signedImp(key, { name: 'program', server: true, ...signed }) as never],
  build: {
    ssr: true,
    rollupOptions: { input, output: namesOf(format), external: [...external] },
  },
})

/** Rollup and Rolldown have one interface. */
async function bundle(
  name: 'rollup' | 'rolldown',
  folder: string,
  input: Record<string, string>,
  { format = 'esm', signed, external = [] }: ProgramOptions,
): Promise<void> {
  const { [name]: start } = (await import(name)) as Record<string, typeof import('rollup').rollup>
  const plugin = signedImp(key, { name: 'program', server: true, ...signed })
  const built = await start!({
    input,
    cwd: folder,
    external: [/^node:/, ...external],
    onwarn: () => {},
    onLog: () => {},
    plugins: [plugin],
  } as never)
  await built.write({ dir: join(folder, 'dist'), ...namesOf(format) })
  await built.close()
}

const namesOf = (format: Format) => ({
  format,
  entryFileNames: `[name]${extensionOf(format)}`,
  chunkFileNames: `[name]-[hash]${extensionOf(format)}`,
})

/** How a program ended. */
export interface Ran {
  status: number | null
  stdout: string
  stderr: string
}

/** Runs a program of a folder, with nothing of the environment that could load something before it. */
export function run(
  { command: [program, ...args] }: Runtime,
  file: string,
  ...more: string[]
): Ran {
  const { PATH, HOME, TMPDIR, SystemRoot } = process.env
  const { status, stdout, stderr } = spawnSync(program, [...args, file, ...more], {
    env: { PATH, HOME, TMPDIR, SystemRoot, NO_COLOR: '1' },
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { status, stdout, stderr }
}

/** The Node that runs the tests, and all others. */
export const everyRuntime = (): Runtime[] => [
  { name: `node ${process.versions.node}`, command: [process.execPath], missing: undefined },
  ...runtimes(),
]

/** What tells that tampered code has run. */
export const evil = 'EVIL'

/** Changes a file: code so that it says so when it runs, and anything else by one bit. @returns puts it back */
export function tamper(file: string): () => void {
  const bytes = readFileSync(file)
  const changed = Buffer.from(bytes)
  changed[changed.length - 2]! ^= 1
  const isCode = /\.[cm]?js$/.test(file)
  writeFileSync(file, isCode ? `console.log('${evil}');${bytes.toString()}` : changed)
  return () => writeFileSync(file, bytes)
}
