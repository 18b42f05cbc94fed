import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from '../support/files.ts'
import { writeFiles } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'

/** How a command ended: its status, and all that it said. */
export interface Ended {
  status: number | null
  said: string
}

/** Where a command runs. */
export interface Surroundings {
  cwd: string
  env?: Record<string, string>
}

/** An app of one page and one chunk that is loaded later. */
export const appFiles: Record<string, string> = {
  'package.json': '{"name":"fixture","type":"module"}',
  'index.html': '<!doctype html><script type="module" src="/src/main.js"></script>',
  'src/main.js': 'globalThis.load = () => import("./lazy.js")\nconsole.log(1)',
  'src/lazy.js': 'export default "one"',
}

/** A project as its users have it: a folder with files, and packages in node_modules. */
export async function createProject(
  files: Record<string, string>,
  packages: readonly string[] = ['signedimp', 'vite'],
  folder: string = scratchFolder(),
): Promise<string> {
  await writeFiles(folder, files)
  for (const name of packages) installInto(folder, name)
  return folder
}

/** Links a package of this checkout, or the checkout itself, into a project. */
export function installInto(folder: string, name: string): void {
  const link = join(folder, 'node_modules', name)
  const target = name === 'signedimp' ? root : join(root, 'node_modules', name)
  mkdirSync(dirname(link), { recursive: true })
  symlinkSync(target, link, 'junction')
}

const vite = join(root, 'node_modules/vite/bin/vite.js')

/** Only what a process needs: no colour, key, password or CI setting of whoever runs the tests. */
function environment(env: Record<string, string> = {}): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR, SystemRoot } = process.env
  return { PATH, HOME, TMPDIR, SystemRoot, TERM: 'xterm', NO_COLOR: '1', ...env }
}

/** Runs a script with Node in a process of its own, without a terminal and with nothing to read. */
export function runNode(args: string[], { cwd, env }: Surroundings): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd,
    env: environment(env),
    encoding: 'utf8',
    timeout: 60_000,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return { status, said: stdout + stderr }
}

/** Runs `vite` with arguments, as {@link runNode} does. */
export const runVite = (args: string[], surroundings: Surroundings): Ended =>
  runNode([vite, ...args], surroundings)

/**
 * Runs `vite` where somebody could type, and nobody does.
 * @param terminal with a real terminal, for which `script` of util-linux is needed; else an input that stays open
 */
export async function runViteAtKeyboard(
  args: string[],
  { cwd, env }: Surroundings,
  terminal: boolean,
): Promise<Ended> {
  const line = [process.execPath, vite, ...args]
  const quoted = line.map((word) => `'${word}'`).join(' ')
  const [command, ...rest] = terminal ? ['script', '-qefc', quoted, '/dev/null'] : line
  const child = spawn(command!, rest, { cwd, env: environment(env) })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => void (said += text))
  const ended = new Promise<number | null>((done) => child.once('close', done))
  const status = await Promise.race([ended, sleep(30_000, null, { ref: false })])
  child.kill('SIGKILL')
  return { status, said }
}
