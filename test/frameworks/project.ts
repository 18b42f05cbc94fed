import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { root as checkout } from '../support/files.ts'
import { writeFiles } from '../support/fixture.ts'
import { runtimes } from '../support/runtimes.ts'
import type { Framework } from './framework.ts'

/** An app, built as its framework builds it, and protected. */
export interface Project {
  plain: string
  /** Undefined where the folder was refused. */
  signed: string | undefined
  /** What sealing it said; empty for a build with the plugin. */
  said: string
}

/**
 * Makes an app in a folder, builds it, and protects what was built. A folder that has all that is taken as it is.
 * @throws Error where a step fails
 */
export async function makeProject(framework: Framework, folder: string): Promise<Project> {
  const app = join(folder, 'app')
  const [plain, signed] = [join(folder, 'plain'), join(folder, 'signed')]
  if (existsSync(signed)) return { plain, signed, said: '' }
  if (!existsSync(join(app, 'release.pem'))) await makeApp(framework, folder)
  build(app, framework, plain)
  if (framework.plugin) {
    await writeFiles(app, framework.plugin)
    build(app, framework, signed)
    return { plain, signed, said: '' }
  }
  cpSync(plain, `${signed}-yet`, { recursive: true })
  const options = ['--key', join(app, 'release.pem'), '--name', 'shop']
  const { status, said } = signedimp(app, ['seal', `${signed}-yet`, ...options])
  if (status !== 0) return { plain, signed: undefined, said }
  renameSync(`${signed}-yet`, signed)
  return { plain, signed, said }
}

async function makeApp(framework: Framework, folder: string): Promise<void> {
  const app = join(folder, 'app')
  if (framework.starter) npx(folder, framework.starter)
  for (const path of framework.without ?? []) rmSync(join(app, path))
  await writeFiles(app, framework.files)
  writePackage(app, framework)
  const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline']
  run(app, 'npm', ['install', ...options, '--loglevel', 'error'])
  // As a package of the app, which is not published yet.
  symlinkSync(checkout, join(app, 'node_modules/signedimp'))
  signedimp(app, ['keygen', 'release.pem', '--no-password'])
}

/** The versions that were installed, the framework's own first. */
export function versionsOf({ packages }: Framework, folder: string): string {
  const lock = JSON.parse(readFileSync(join(folder, 'app/package-lock.json'), 'utf8'))
  return Object.keys(packages)
    .map((name) => `${name} ${lock.packages[`node_modules/${name}`].version}`)
    .join(', ')
}

/** Exact versions, where the starter has ranges. */
function writePackage(app: string, { packages, overrides }: Framework): void {
  mkdirSync(app, { recursive: true })
  const file = join(app, 'package.json')
  const made = existsSync(file)
    ? JSON.parse(readFileSync(file, 'utf8'))
    : { name: 'app', private: true, type: 'module' }
  for (const name of Object.keys(packages)) delete made.devDependencies?.[name]
  const dependencies = { ...made.dependencies, ...packages }
  writeFileSync(file, JSON.stringify({ ...made, dependencies, overrides }))
}

function build(app: string, { build: command, output }: Framework, to: string): void {
  npx(app, command)
  cpSync(join(app, output), to, { recursive: true })
}

const npx = (folder: string, command: string): void =>
  run(folder, 'npx', ['--yes', ...command.split(' ')])

function run(folder: string, command: string, args: readonly string[]): void {
  mkdirSync(folder, { recursive: true })
  const { status, stdout, stderr } = start(folder, command, args)
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}:\n${stdout}${stderr}`)
}

function signedimp(folder: string, args: readonly string[]) {
  const { status, stdout, stderr } = start(folder, 'node', [join(checkout, 'dist/cli.js'), ...args])
  return { status, said: stdout + stderr }
}

const start = (cwd: string, command: string, args: readonly string[]) =>
  spawnSync(command, args, {
    cwd,
    env: environment(),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })

/** Most frameworks want a newer Node than this project does. None may tell its makers about this run. */
function environment(): NodeJS.ProcessEnv {
  const found = runtimes().find(({ name }) => name.startsWith('node 24'))!
  if (found.missing) throw new Error(`${found.name}: ${found.missing}`)
  return {
    ...process.env,
    PATH: dirname(found.command[0]) + delimiter + process.env.PATH,
    CI: '1',
    NG_CLI_ANALYTICS: 'false',
    NEXT_TELEMETRY_DISABLED: '1',
    ASTRO_TELEMETRY_DISABLED: '1',
    NUXT_TELEMETRY_DISABLED: '1',
  }
}
