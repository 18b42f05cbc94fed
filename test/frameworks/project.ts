import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
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

/** Makes an app in a folder, builds it, and protects what was built. @throws Error where a step fails */
export async function makeProject(framework: Framework, folder: string): Promise<Project> {
  const app = join(folder, 'app')
  if (framework.starter) npx(folder, framework.starter)
  for (const path of framework.without ?? []) rmSync(join(app, path))
  await writeFiles(app, framework.files)
  writePackage(app, framework)
  run(app, 'npm', [
    'install',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    '--prefer-offline',
    '--loglevel',
    'error',
  ])
  // As a package of the app, which is not published yet.
  symlinkSync(checkout, join(app, 'node_modules/signedimp'))
  signedimp(app, ['keygen', 'release.pem', '--no-password'])
  const plain = join(folder, 'plain')
  build(app, framework, plain)
  const signed = join(folder, 'signed')
  if (framework.plugin) {
    await writeFiles(app, framework.plugin)
    build(app, framework, signed)
    return { plain, signed, said: '' }
  }
  cpSync(plain, signed, { recursive: true })
  const options = ['--key', join(app, 'release.pem'), '--name', 'shop']
  const { status, said } = signedimp(app, ['seal', signed, ...options])
  return { plain, signed: status === 0 ? signed : undefined, said }
}

/** The versions that were installed, the framework's own first. */
export const versionsOf = (framework: Framework, folder: string): string =>
  Object.keys(framework.packages)
    .map((name) => `${name} ${versionOf(join(folder, 'app/node_modules', name))}`)
    .join(', ')

const versionOf = (folder: string): string =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version

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
