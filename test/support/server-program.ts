import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { generateKey } from '../../src/keys/generate.ts'
import { loadSigner } from '../../src/keys/private.ts'
import type { Signer } from '../../src/manifest/sign.ts'
import { publicKeyPem } from '../../src/keys/public.ts'
import { signDirectory } from '../../src/tree/sign.ts'
import { root } from './files.ts'
import { writeFiles } from './fixture.ts'
import { scratchFolder } from './processes.ts'
import { runtimes, type Runtime } from './runtimes.ts'

/** The Node that runs the tests, and all others. */
export const servers: readonly Runtime[] = [
  { name: `node ${process.versions.node}`, command: [process.execPath], missing: undefined },
  ...runtimes(),
]

/** Which of them it is, without its version. */
export const kindOf = ({ name }: Runtime): 'node' | 'bun' | 'deno' =>
  /node|bun|deno/.exec(name)![0] as 'node'

/** A signed folder, and who signed it. */
export interface Program {
  folder: string
  /** The public key's file, which lies beside the folder. */
  keyFile: string
  pem: string
  signer: Signer
}

/** A program of every kind of module. Each says its name and a 0, which a flipped byte makes a 1. */
const sources: Record<string, string> = {
  'main.mjs': `import { word } from './static.mjs'
import { createRequire } from 'node:module'
import { fork } from 'node:child_process'
import { Worker } from 'node:worker_threads'
const require = createRequire(import.meta.url)
const answer = (one) => new Promise((settle, fail) => {
  one.once('message', settle).once('error', fail).once('exit', (status) => settle('ended ' + status))
})
const kinds = {
  main: () => 'main 0',
  static: () => word,
  dynamic: async () => (await import('./dynamic.mjs')).word,
  query: async () => (await import('./dynamic.mjs?again')).word,
  common: () => require('./common.cjs'),
  imported: async () => (await import('./imported.cjs')).default,
  json: () => require('./data.json').word,
  jsonImport: async () => (await import('./more.json', { with: { type: 'json' } })).default.word,
  required: () => require('./required.mjs').word,
  detected: async () => (await import('./detected.js')).word,
  described: async () => (await import('./described/module.js')).word,
  folder: () => require('./folder'),
  wasm: async () => 'wasm ' + (await import('./code.wasm')).zero(),
  addon: () => 'addon ' + typeof require('./addon.node').parse,
  worker: () => answer(new Worker(new URL('worker.mjs', import.meta.url))),
  fork: () => answer(fork(new URL('child.mjs', import.meta.url))),
}
const codeOf = (error) => {
  const [code] = /ERR_SIGNEDIMP_\\w+/.exec(error.code + ' ' + error.message) ?? [String(error)]
  return code
}
const report = {}
const wanted = process.argv.slice(2)
for (const [kind, load] of Object.entries(kinds).filter(([kind]) => !wanted.length || wanted.includes(kind)))
  try {
    report[kind] = await load()
  } catch (error) {
    report[kind] = codeOf(error)
  }
console.log(JSON.stringify(report))
process.exit()
`,
  'static.mjs': `export const word = 'static 0'\n`,
  'dynamic.mjs': `export const word = 'dynamic 0'\n`,
  'common.cjs': `module.exports = 'common 0 ' + require('./nested.js')\n`,
  'nested.js': `module.exports = 'nested 0'\n`,
  'imported.cjs': `module.exports = 'imported 0'\n`,
  'data.json': `{"word":"json 0"}\n`,
  'more.json': `{"word":"more 0"}\n`,
  'required.mjs': `export const word = 'required 0'\n`,
  'detected.js': `export const word = 'detected 0'\n`,
  'described/package.json': `{"type":"module","version":"0"}\n`,
  'described/module.js': `export const word = 'described 0'\n`,
  'folder/package.json': `{"main":"./entry.js","version":"0"}\n`,
  'folder/entry.js': `module.exports = 'folder 0'\n`,
  'worker.mjs': `import { parentPort } from 'node:worker_threads'
import { word } from './worker-part.mjs'
parentPort.postMessage('worker 0 ' + word)
`,
  'worker-part.mjs': `export const word = 'part 0'\n`,
  'child.mjs': `import { word } from './child-part.mjs'
process.send('child 0 ' + word)
process.disconnect()
`,
  'child-part.mjs': `export const word = 'part 0'\n`,
}

// A module with one function, `zero`, that returns the constant 48 (WebAssembly 1.0, binary format).
const wasm = Buffer.from(
  '0061736d' +
    '01000000' +
    '010501' +
    '6000017f' +
    '03020100' +
    '070801' +
    '047a65726f' +
    '0000' +
    '0a0601' +
    '04' +
    '0041300b',
  'hex',
)

/** What a program says where nothing was changed. */
export const untouched: Record<string, string> = {
  main: 'main 0',
  static: 'static 0',
  dynamic: 'dynamic 0',
  query: 'dynamic 0',
  common: 'common 0 nested 0',
  imported: 'imported 0',
  json: 'json 0',
  jsonImport: 'more 0',
  required: 'required 0',
  detected: 'detected 0',
  described: 'described 0',
  folder: 'folder 0',
  wasm: 'wasm 48',
  addon: 'addon function',
  worker: 'worker 0 part 0',
  fork: 'child 0 part 0',
}

/** What is refused in a runtime whatever the bytes, because there is no way to check it. */
export function refusedIn(runtime: Runtime): Record<string, string> {
  const code = 'ERR_SIGNEDIMP_NOT_ENFORCEABLE'
  if (kindOf(runtime) === 'bun') return { wasm: code }
  return kindOf(runtime) === 'deno' ? { wasm: code, worker: code, fork: code } : {}
}

/** Writes the program of every kind, and signs it. */
export async function signKinds(): Promise<Program> {
  const folder = join(scratchFolder(), 'app')
  await writeFiles(folder, { ...sources, 'code.wasm': wasm })
  copyFileSync(addonFile(), join(folder, 'addon.node'))
  return sign(folder)
}

/** Some addon that is there anyway. */
export const addonFile = (): string => {
  const require = createRequire(createRequire(import.meta.url).resolve('rollup'))
  return require.resolve('@rollup/rollup-linux-x64-gnu')
}

/** Writes a program, and signs it. */
export async function signProgram(
  files: Record<string, string | Uint8Array>,
  name = 'app',
): Promise<Program> {
  const folder = join(scratchFolder(), name)
  await writeFiles(folder, files)
  return sign(folder)
}

/** Signs a folder. */
export async function sign(folder: string, known?: Signer, build?: number): Promise<Program> {
  const signer = known ?? (await loadSigner(await generateKey('ed25519')))
  await signDirectory(folder, signer, { name: 'shop', build })
  const pem = publicKeyPem(signer.key)
  const keyFile = `${folder}.pub`
  writeFileSync(keyFile, pem)
  return { folder, keyFile, pem, signer }
}

/** A copy of a program that may be tampered with. */
export function copyOf(program: Program): Program {
  const folder = join(scratchFolder(), 'app')
  cpSync(program.folder, folder, { recursive: true })
  return { ...program, folder }
}

/** Flips one byte of a file: the last 0 in it, or the last byte before its symbols, becomes another. */
export function flip({ folder }: Program, path: string): void {
  const file = join(folder, path)
  const bytes = readFileSync(file)
  const at = bytes.lastIndexOf(path.endsWith('.node') ? 'GCC: (' : '0')
  bytes[at]! ^= 1
  writeFileSync(file, bytes)
}

/** What a run of a program came to. */
export interface Run {
  status: number | null
  stdout: string
  stderr: string
}

/** How a program is run. */
export interface RunOptions {
  /** Which file of the program. @default 'main.mjs' */
  entry?: string
  /** Whether it runs as it is, without hooks. */
  isPlain?: boolean
  /** Loaded first, in place of `signedimp/node`. */
  preload?: string
  /** What the program is given. */
  args?: string[]
  /** Flags before all others. */
  flags?: string[]
  env?: Record<string, string>
}

/** The package as it is built. */
export const nodeEntry: string = join(root, 'dist/node.js')

/** Runs a program in a runtime, with what its environment says by default. */
export function runProgram(runtime: Runtime, program: Program, options: RunOptions = {}): Run {
  const { entry = 'main.mjs', isPlain = false, flags = [], args: given = [], env = {} } = options
  const [binary, ...args] = runtime.command
  const preload = options.preload ?? nodeEntry
  const first = isPlain ? [] : [preloadFlagOf(runtime), toPreload(runtime, preload)]
  const { PATH, HOME } = process.env
  const isTold = isPlain || 'SIGNEDIMP_CONFIG' in env
  const told = isTold ? {} : { SIGNEDIMP_KEY: program.keyFile, SIGNEDIMP_NAME: 'shop' }
  const { status, stdout, stderr } = spawnSync(
    binary,
    [...args, ...flags, ...first, join(program.folder, entry), ...given],
    {
      encoding: 'utf8',
      timeout: 120_000,
      env: { PATH, HOME, NO_COLOR: '1', NODE_NO_WARNINGS: '1', ...told, ...env },
    },
  )
  return { status, stdout, stderr }
}

const preloadFlagOf = (runtime: Runtime) => (kindOf(runtime) === 'bun' ? '--preload' : '--import')

const toPreload = (runtime: Runtime, file: string) =>
  kindOf(runtime) === 'bun' ? file : pathToFileURL(file).href

/** What a program has said in JSON. */
export function reportOf({ status, stdout, stderr }: Run): Record<string, string> {
  if (status !== 0) throw new Error(`ended with ${status}: ${stdout}${stderr}`)
  return JSON.parse(stdout) as Record<string, string>
}
