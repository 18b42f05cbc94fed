import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { endOf } from './child.ts'
import { root } from './files.ts'
import { writeFiles } from './fixture.ts'
import { blocksOf, readDocument, sectionOf } from './markdown.ts'
import { scratchFolder } from './processes.ts'

/** The README of this checkout. */
export const readme: string = readDocument('README.md')

const install = sectionOf(readme, 'Install and use')

/** What the README says to do and to expect in an app of one's own. */
export const quickStart = {
  keygen: blocksOf(install, 'sh')[0]!.replace(/^npm i .*\n/, ''),
  config: blocksOf(install, 'js')[0]!,
  /** The script that builds the same app with esbuild. */
  script: blocksOf(install, 'js')[1]!,
  printed: blocksOf(install, 'text')[0]!,
  shown: blocksOf(install, 'text')[1]!,
}

const app = {
  'package.json': '{"name":"shop","type":"module"}',
  'index.html': `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Shop</title>
    <script type="module" src="/src/main.js"></script>
  </head>
  <body></body>
</html>
`,
  'src/main.js': `globalThis.started = true
globalThis.openCart = () => import('./cart.js').then(({ cart }) => cart)
`,
  'src/cart.js': `import './cart.css'
export const cart = 'open'
`,
  'src/cart.css': 'p { color: green }',
}

/** How a script ended. */
export interface ScriptRun {
  status: number | null
  stdout: string
  stderr: string
}

/** What runs a block of the README in an app that has this checkout, Vite and esbuild installed. */
export function shellFor(script: string): { args: string[]; env: NodeJS.ProcessEnv } {
  const tools = { signedimp: 'dist/cli.js', vite: 'node_modules/vite/bin/vite.js' }
  const functions = Object.entries(tools).map(
    ([name, file]) => `${name}() { '${process.execPath}' '${join(root, file)}' "$@"; }\n`,
  )
  const { PATH, HOME, TMPDIR } = process.env
  return {
    args: ['-ec', functions.join('') + script.replaceAll(/\bnpx /g, '')],
    env: { PATH, HOME, TMPDIR, SIGNEDIMP_PASSWORD: 'a password', NO_COLOR: '1' },
  }
}

/** Runs a block of the README in an app that has this checkout, Vite and esbuild installed. */
export function runScript(script: string, cwd: string): ScriptRun {
  const { args, env } = shellFor(script)
  const { status, stdout, stderr } = spawnSync('sh', args, {
    cwd,
    env,
    encoding: 'utf8',
    timeout: 120_000,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return { status, stdout, stderr }
}

/** Runs a block as {@link runScript} does, while this process goes on, as a server for example. */
export function runBeside(script: string, cwd: string): Promise<ScriptRun> {
  const { args, env } = shellFor(script)
  return endOf(spawn('sh', args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] }))
}

/** Runs a block of the README that must succeed. @returns its standard output */
export function succeed(script: string, cwd: string): string {
  const { status, stdout, stderr } = runScript(script, cwd)
  if (status !== 0) throw new Error(`${script}\nended with ${status}: ${stdout}${stderr}`)
  return stdout
}

/** An app with the README's key, configuration and script, not built yet. */
export async function createApp(config: string = quickStart.config): Promise<string> {
  const folder = scratchFolder()
  await writeFiles(folder, { ...app, 'vite.config.js': config, 'build.js': quickStart.script })
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules/signedimp'), 'junction')
  for (const name of ['vite', 'esbuild'])
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), 'junction')
  succeed(quickStart.keygen, folder)
  return folder
}

/** A copy of an app, to change. */
export function copyApp(folder: string): string {
  const copy = scratchFolder()
  cpSync(folder, copy, { recursive: true, verbatimSymlinks: true })
  return copy
}

/** Does something when it is first asked for, and once. */
export function lazy<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => (made ??= make())
}

/** A text without what differs from build to build. */
export const shapeOf = (text: string): string =>
  text
    .replaceAll(/sha256-[\w+/]{43}=/g, 'sha256-<base64>')
    .replaceAll(/\b[0-9a-f]{64}\b/g, '<hex>')
    .replaceAll(/\b[0-9a-f]{16}\b/g, '<id>')
    .replaceAll(/-[\w-]{8}(?=\.\w)/g, '-<hash>')
    .replaceAll(/\d+(\.\d+)?/g, '<number>')
    .trim()
