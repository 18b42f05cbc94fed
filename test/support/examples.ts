import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, type Logger } from 'vite'
import { writeFiles } from './fixture.ts'
import { allBlocks } from './markdown.ts'
import { copyApp, createApp, lazy, runScript, succeed } from './readme-app.ts'

/**
 * An example of a document: blocks down to one of `text`, which says what becomes of it. A block whose first line is
 * a comment with a file's name is that file; other blocks of `js` are calls of the plugin, or a whole configuration.
 * Blocks of `sh` are run before the build, or are the build. An example with a file `build.js` is built by that.
 */
export interface Example {
  files: Record<string, string>
  /** What is run first. */
  setup: string
  /** What builds, where it is not the test itself. */
  command: string | undefined
  /** What is printed. */
  text: string
}

/** The examples of a section, in order. */
export function examplesOf(section: string): Example[] {
  const examples: Example[] = []
  let example: Example = { files: {}, setup: '', command: undefined, text: '' }
  for (const { language, code } of allBlocks(section)) {
    const file = /^(?:\/\/|<!--) (\S+\.\w+)(?: -->)?\n/.exec(code)
    if (language === 'text') {
      examples.push({ ...example, text: code.trim() })
      example = { files: {}, setup: '', command: undefined, text: '' }
    } else if (file) example.files[file[1]!] = code.slice(file[0].length)
    else if (language === 'js') example.files['vite.config.js'] = configOf(code)
    else if (code.includes('vite build')) example.command = code
    else example.setup += code
  }
  return examples
}

/** A configuration for an example that shows the call alone. */
const configOf = (code: string): string =>
  code.includes('export default')
    ? code
    : `import signedImp from 'signedimp'\n\nexport default { plugins: [${code.trim()}] }\n`

/** What became of an example. */
export interface Outcome {
  folder: string
  /** What the build printed. */
  printed: string
  /** Why it failed. */
  error: string | undefined
}

/** The app of the README with a second key, built never; not in a hook, whose errors uvu does not print. */
const app = lazy(async () => {
  const folder = await createApp()
  succeed('signedimp keygen second.pem --algorithm ecdsa-p256', folder)
  return folder
})

/** Builds an example: in this process unless it has a command of its own. */
export async function tryExample({ files, setup, command }: Example): Promise<Outcome> {
  const folder = copyApp(await app())
  await writeFiles(folder, files)
  if (setup) succeed(setup, folder)
  const built = command
    ? buildByCommand(folder, command)
    : files['build.js']
      ? buildByScript(folder)
      : await buildHere(folder, usesOption(files, 'password'))
  return { folder, ...built, error: built.error?.replaceAll(folder, '/home/you/shop') }
}

const usesOption = (files: Record<string, string>, name: string): boolean =>
  Object.values(files).some((code) => code.includes(`${name}:`))

function buildByCommand(folder: string, command: string) {
  const { status, stdout, stderr } = runScript(command, folder)
  return { printed: stdout, error: status === 0 ? undefined : stderr }
}

/** The first error that esbuild throws, in its frame. */
const thrown =
  /Build failed with .*\n(?:error: |\S+: ERROR: (?:\[plugin: signedimp\] )?)([^]*?)\n(?: {4}at|error:|\S+: ERROR:)|$/

/** Builds with esbuild. */
function buildByScript(folder: string) {
  const { status, stdout, stderr } = runScript('node build.js', folder)
  const [, message] = thrown.exec(stderr)!
  return { printed: stdout + stderr, error: status === 0 ? undefined : (message ?? stderr) }
}

async function buildHere(folder: string, keepsPassword: boolean) {
  const lines: string[] = []
  process.env.RELEASE_PASSWORD = 'a password'
  process.env.RELEASE_KEY = readFileSync(join(folder, 'release.pem'), 'utf8')
  if (keepsPassword) delete process.env.SIGNEDIMP_PASSWORD
  else process.env.SIGNEDIMP_PASSWORD = 'a password'
  try {
    const configFile = join(folder, 'vite.config.js')
    const logLevel = 'warn'
    await build({ root: folder, configFile, logLevel, customLogger: createLogger(lines) })
    return { printed: lines.join('\n'), error: undefined }
  } catch (error) {
    const { message, errors } = error as Error & { errors?: Error[] }
    return { printed: lines.join('\n'), error: errors?.[0]?.message ?? message }
  }
}

/** Builds the app in a folder with a Vite that is installed. @returns what it prints */
export async function messagesOf(folder: string, vite: string = 'vite'): Promise<string> {
  const lines: string[] = []
  process.env.SIGNEDIMP_PASSWORD = 'a password'
  const { build: start } = (await import(vite)) as typeof import('vite')
  const configFile = join(folder, 'vite.config.js')
  await start({ root: folder, configFile, logLevel: 'warn', customLogger: createLogger(lines) })
  return lines.join('\n')
}

function createLogger(lines: string[]): Logger {
  const note = (message: string) => void lines.push(message)
  return {
    info: note,
    warn: note,
    warnOnce: note,
    error: note,
    clearScreen() {},
    hasErrorLogged: () => false,
    hasWarned: false,
  }
}

/** Text of a file of an example's output, or of its manifest where no path is given. */
export const outputOf = ({ folder }: Outcome, path: string = 'signedimp-manifest.txt'): string =>
  existsSync(join(folder, 'dist', path)) ? readFileSync(join(folder, 'dist', path), 'utf8') : ''
