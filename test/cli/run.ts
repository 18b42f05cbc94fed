import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { endOf } from '../support/child.ts'
import { root } from '../support/files.ts'

/** How a command line ended. */
export interface Run {
  status: number | null
  stdout: string
  stderr: string
}

interface RunOptions {
  cwd: string
  env?: Record<string, string>
}

/** The built command line, unless sources are newer; a stale build would be tested in their place. */
const command: string[] = isBuilt()
  ? [join(root, 'dist/cli.js')]
  : ['--import', import.meta.resolve('tsx'), join(root, 'src/cli.ts')]

function isBuilt(): boolean {
  const built = join(root, 'dist/cli.js')
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  const newest = Math.max(...sources.map((path) => statSync(join(root, 'src', path)).mtimeMs))
  return existsSync(built) && statSync(built).mtimeMs > newest
}

/** Runs `signedimp` as a process of its own: no terminal, nothing to read. */
export function signedimp(args: string[], { cwd, env = {} }: RunOptions): Run {
  const options = { cwd, env: environment(env), encoding: 'utf8', timeout: 60_000 } as const
  const { status, stdout, stderr } = spawnSync(process.execPath, [...command, ...args], {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return { status, stdout, stderr }
}

/** Runs `signedimp` as {@link signedimp} does, while this process goes on, as a server for example. */
export const signedimpBeside = (args: string[], { cwd, env = {} }: RunOptions): Promise<Run> =>
  endOf(
    spawn(process.execPath, [...command, ...args], {
      cwd,
      env: environment(env),
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  )

/** Runs `signedimp` as {@link signedimp} does, with a file in a pipe on its standard input. */
export function signedimpPiped(file: string, args: string[], { cwd, env = {} }: RunOptions): Run {
  const line = [process.execPath, ...command, ...args]
  const { status, stdout, stderr } = spawnSync('sh', ['-c', 'cat "$0" | "$@"', file, ...line], {
    cwd,
    env: environment(env),
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { status, stdout, stderr }
}

/** The one JSON object on standard output. */
export const jsonOf = ({ stdout }: Run): any => JSON.parse(stdout)

/** Only what a process needs: no colour, password or CI setting of whoever runs the tests. */
function environment(env: Record<string, string>): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR, SystemRoot } = process.env
  return { PATH, HOME, TMPDIR, SystemRoot, TERM: 'xterm', ...env }
}

/** Whether there is a command that gives a process a terminal: `script` of util-linux. */
export const hasTerminal: boolean =
  process.platform === 'linux' &&
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') === true

/**
 * Runs `signedimp` in a terminal and types: each answer once its question stands there.
 * @returns the status, and all that the terminal showed
 */
export async function signedimpInTerminal(
  args: string[],
  answers: [question: string, typed: string][],
  { cwd, env = {} }: RunOptions,
): Promise<{ status: number | null; shown: string }> {
  const line = [process.execPath, ...command, ...args].map((word) => `'${word}'`).join(' ')
  const child = spawn('script', ['-qefc', line, '/dev/null'], { cwd, env: environment(env) })
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000)
  let shown = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text
    const [next] = answers
    if (next && shown.includes(next[0])) child.stdin.write(answers.shift()![1])
  })
  const status = await new Promise<number | null>((done) => child.once('close', done))
  clearTimeout(timer)
  return { status, shown }
}
