import { renderUsage, type CommandDef } from 'citty'
import { readFile } from 'node:fs/promises'
import { stripVTControlCharacters } from 'node:util'
import { parseArguments, UsageError } from './arguments.js'
import { bootstrap } from './bootstrap.js'
import type { Command, Output } from './command.js'
import { attach } from './attach.js'
import { audit } from './audit.js'
import { diff } from './diff.js'
import { exportRelease } from './export.js'
import { failureOf, meaningOf, type Failure } from './failure.js'
import { graph } from './graph.js'
import { html } from './html.js'
import { keygen } from './keygen.js'
import { convertKey } from './keys/convert.js'
import { changePassword } from './keys/password.js'
import { showKey } from './keys/show.js'
import { print, printJson, wantsColours } from './print.js'
import { rotate } from './rotate.js'
import { seal } from './seal.js'
import { show } from './show.js'
import { sign } from './sign.js'
import { unseal } from './unseal.js'
import { unsign } from './unsign.js'
import { verify } from './verify.js'

const commands = new Map<string, Command>(
  [
    keygen,
    showKey,
    convertKey,
    changePassword,
    sign,
    attach,
    unsign,
    rotate,
    seal,
    unseal,
    html,
    verify,
    audit,
    diff,
    show,
    graph,
    exportRelease,
    bootstrap,
  ].map((command) => [command.meta.name, command]),
)

const signedimp: CommandDef = {
  meta: {
    name: 'signedimp',
    description: 'Sign folders and zip files, and verify that they are what was signed',
  },
  subCommands: Object.fromEntries(commands) as never,
}

/**
 * Runs a command line; sets the exit code and lets the process end by itself, so that all output is written.
 * @param packageJson this package's own, for `--version`
 */
export async function main(argv: string[], packageJson: URL): Promise<void> {
  // Whoever reads only the first lines (`| head`) does not change what was found.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  process.exitCode = await run(argv, packageJson)
}

async function run(argv: string[], packageJson: URL): Promise<number> {
  const { name, command, rest } = find(argv)
  const flags = beforeDashes(argv)
  if (flags.includes('--help') || flags.includes('-h')) return printUsage(process.stdout, command)
  if (argv.length === 1 && name === '--version') return printVersion(packageJson)
  try {
    if (command) return printOutput(await command.run(parseArguments(command.args, rest)), flags)
    throw new UsageError(
      `${name === '' ? 'No command' : `"${name}" is no command`}: give one of ${[...commands.keys()].join(', ')}`,
    )
  } catch (error) {
    return printFailure(error, flags, command)
  }
}

/** The command that is named, by one word or two. */
function find(argv: string[]) {
  const words = commands.has(argv.slice(0, 2).join(' ')) || argv[0] === 'keys' ? 2 : 1
  const name = argv.slice(0, words).join(' ')
  return { name, command: commands.get(name), rest: argv.slice(words) }
}

const beforeDashes = (argv: string[]): string[] =>
  argv.slice(0, argv.includes('--') ? argv.indexOf('--') : argv.length)

async function printUsage(
  stream: NodeJS.WriteStream,
  command: Command | undefined,
): Promise<number> {
  const usage = await (command
    ? renderUsage(command as CommandDef, signedimp)
    : renderUsage(signedimp))
  // citty colours whatever it writes to.
  stream.write((wantsColours(stream) ? usage : stripVTControlCharacters(usage)) + '\n')
  return 0
}

async function printVersion(packageJson: URL): Promise<number> {
  const { version } = JSON.parse(await readFile(packageJson, 'utf8')) as { version: string }
  print(process.stdout, [version])
  return 0
}

function printOutput({ data, lines, words = [], status = 0 }: Output, flags: string[]): number {
  if (flags.includes('--json')) printJson(data)
  else {
    print(process.stdout, lines)
    print(process.stderr, words)
  }
  return status
}

function printFailure(error: unknown, flags: string[], command: Command | undefined): number {
  const failure = failureOf(error)
  const { status, data } = failure
  if (flags.includes('--json')) printJson(data)
  else print(process.stdout, problemLines(data))
  const told = `signedimp: ${data.error.message}`.split('\n')
  print(
    process.stderr,
    told.map((text) => ({ text, colour: 'red' })),
  )
  print(process.stderr, meaningOf(failure))
  if (error instanceof UsageError)
    print(process.stderr, [`See signedimp ${command ? `${command.meta.name} ` : ''}--help`])
  if (process.env['SIGNEDIMP_DEBUG'] === '1')
    print(process.stderr, String((error as Error).stack ?? error).split('\n'))
  return status
}

const problemLines = ({ error }: Failure['data']): string[] =>
  (error.problems ?? []).map(
    ({ path, problem, reason }) => `${problem.padEnd(10)}${path}${reason ? ` (${reason})` : ''}`,
  )
