import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { binaryOf } from './binaries.ts'
import { runCommand } from './command.ts'
import { root } from './files.ts'
import { scratchFolder, startHelper, type Helper } from './processes.ts'
import type { Seen } from './visit.ts'

/** Why pages cannot be shown under a scheme of one's own here, if so. */
export const whyNoShell = (): string | undefined =>
  spawnSync('python3', ['--version']).status === 0 ? undefined : 'python3 is not installed'

/** How an app shell shows its pages. */
export interface Shell {
  /** @default 'app' */
  scheme?: string
  /** What WebKit is told of the scheme: `local` ones cannot be fetched. @default ['secure', 'cors'] */
  flags?: readonly ('secure' | 'cors' | 'local')[]
}

/** What becomes of a page in a shell, and of what it then opens. */
export interface SeenInShell extends Seen {
  enforcement: string | undefined
  /** What `a`, `solo` and a file that nothing lists say, or why each was refused. */
  opened: Record<'a' | 'solo' | 'unlisted', string>
}

const script = `
const started = () => 'app' in globalThis || document.querySelector('[role=alert]')
for (let turn = 0; turn < 50 && !started(); turn++) await new Promise((settle) => setTimeout(settle, 100))
const say = (work) => Promise.resolve().then(work).then(({ text }) => text, ({ code, name, path }) => code ? code + ' ' + path : name)
const { app, refusals = [], ran = [], __evil: evil = 0, __signedimp } = globalThis
const opened = {}
if (app) for (const name of ['a', 'solo']) opened[name] = await say(app[name])
if (app) opened.unlisted = await say(() => app.any('/unlisted.js'))
const alert = document.querySelector('[role=alert]')?.textContent ?? ''
const { enforcement } = __signedimp ?? {}
return JSON.stringify({ evil, ran, refusals, alert, enforcement, opened })
`

let display: Promise<Helper> | undefined

/** Shows a folder in WebKitGTK under a scheme of its own, and opens what the app opens later. */
export async function showInShell(
  folder: string,
  { scheme = 'app', flags = ['secure', 'cors'] }: Shell = {},
): Promise<SeenInShell> {
  const screen = ['-displayfd', '1', '-screen', '0', '800x600x24', '-nolisten', 'tcp']
  display ??= startHelper(binaryOf('webkit', 'Xvfb'), screen, { ready: /^(\d+)\n/m })
  const { ready } = await display
  const file = join(root, 'test/support/app-shell.py')
  const { code, output } = await runCommand('python3', [file, scheme, folder, `${flags}`, script], {
    timeoutMs: 60_000,
    env: {
      DISPLAY: `:${ready}`,
      HOME: scratchFolder(),
      NO_AT_BRIDGE: '1',
      WEBKIT_DISABLE_COMPOSITING_MODE: '1',
    },
  })
  const found = /^\{.*\}$/m.exec(output)
  if (code !== 0 || !found) throw new Error(`the shell ended with ${code}: ${output}`)
  return JSON.parse(found[0]) as SeenInShell
}

/** Ends the display of the shells. */
export async function closeShells(): Promise<void> {
  await (await display)?.stop()
  display = undefined
}
