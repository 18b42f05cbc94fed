/** `npm run demo`: the signed React app on a server that can tamper, to watch or as a table. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import picocolors from 'picocolors'
import { whyMissing, type EngineName } from '../test/support/binaries.ts'
import { engines, launch, type Engine } from '../test/support/browsers.ts'
import { appFolder, buildApp } from './build.ts'
import { control, demoFiles } from './demo/control.ts'
import { attack, failure, format, heading, targets } from './demo/table.ts'
import { serve, type Site } from './server.ts'

const help = `Builds the playground's app, signed, and serves it from a host that can tamper with it.

  --table           try every way of tampering in a browser, print a table, and exit:
                    0 nothing of the attacker ran, 1 something did, 2 no browser found
                    (the default where there is no display)
  --serve           serve the app and the page with the buttons until Ctrl-C
                    (the default where there is a display; with --table, after the table)
  --browser <name>  ${engines.join(', ')}: the one for the table
  --plain           build the app without signedimp, to see the attacks work
  --port <number>   of the server; a free one if not given
  --help            this text
`

const base = '/app/'
const color = picocolors.createColors(process.stdout.isTTY === true && !process.env.NO_COLOR)

/** What runs, and so what has to be ended. */
const running: { site?: Site; engine?: Engine } = {}

async function main(): Promise<number> {
  const flags = readFlags()
  if (flags.help) return (print(help.trimEnd()), 0)
  const hasDisplay = ['darwin', 'win32'].includes(process.platform) || hasDisplayServer()
  const wantsTable = flags.table ?? (!hasDisplay && !flags.serve)
  const browser = wantsTable ? findBrowser(flags.browser) : undefined
  if (wantsTable && !browser) return 2

  const outDir = join(appFolder, 'dist')
  await build(outDir, flags.plain === true)
  const site = await start(outDir, Number(flags.port ?? 0))
  const address = new URL('/', site.url).href
  const status = browser ? await table(address, browser, demoFiles(outDir)) : 0
  if (!wantsTable || flags.serve) await keepServing(address)
  else print(`\nTo click through it yourself: npm run demo -- --serve`)
  return status
}

function readFlags() {
  const { values } = parseArgs({
    options: {
      table: { type: 'boolean' },
      serve: { type: 'boolean' },
      browser: { type: 'string' },
      plain: { type: 'boolean' },
      port: { type: 'string' },
      help: { type: 'boolean' },
    },
  })
  return values
}

const hasDisplayServer = () => Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY)

function findBrowser(wanted: string | undefined): EngineName | undefined {
  if (wanted !== undefined && !engines.includes(wanted as EngineName)) {
    throw new TypeError(`--browser must be one of ${engines.join(', ')}; it is ${wanted}`)
  }
  const candidates = wanted === undefined ? engines : [wanted as EngineName]
  const found = candidates.find((name) => whyMissing(name) === undefined)
  if (found) return found
  for (const name of candidates) console.error(`No ${name}: ${whyMissing(name)}.`)
  console.error('Install one, or open the demo in a browser of your own with --serve.')
  return undefined
}

async function build(outDir: string, plain: boolean): Promise<void> {
  if (plain) return buildApp(outDir, { base, plugins: [] })
  await makeKey(join(appFolder, 'release.pem'))
  await buildApp(outDir, { base })
}

/** A key for the demo alone, kept out of git and without a password. */
async function makeKey(file: string): Promise<void> {
  if (existsSync(file)) return
  const { generateKey } = await import('../src/keys/generate.ts')
  const { saveKey } = await import('../src/keys/save.ts')
  await saveKey(await generateKey(), file, { password: null })
  print('Made a key for the demo: playground/react/release.pem')
}

async function start(outDir: string, port: number): Promise<Site> {
  const handle = control(() => running.site!, outDir, base)
  return (running.site = await serve(outDir, { base, port, handle }))
}

async function table(address: string, browser: EngineName, files: ReturnType<typeof demoFiles>) {
  running.engine = await launch(browser)
  print(`${browser} ${running.engine.version}\n\n${color.bold(heading)}`)
  const failures: string[] = []
  let attacks = -1
  for await (const row of attack(running.engine, address, targets(files))) {
    const why = failure(row)
    const paint = why ? color.red : row.code ? color.green : color.dim
    print(paint(format(row)))
    if (why) failures.push(`${row.way}, ${row.path}: ${why}`)
    attacks++
  }
  await running.engine.close()
  delete running.engine
  return conclude(attacks, failures)
}

function conclude(attacks: number, failures: string[]): number {
  print('')
  for (const line of failures) print(color.red(line))
  if (failures.length > 0)
    print(color.red(`${failures.length} of ${attacks} attacks failed the demo.`))
  else print(color.green(`${attacks} attacks; nothing of the attacker was evaluated.`))
  return failures.length > 0 ? 1 : 0
}

/** Until Ctrl-C. */
async function keepServing(address: string): Promise<never> {
  print(`\nOpen ${color.cyan(address)} — Ctrl-C ends it.`)
  return new Promise(() => {})
}

async function stop(status: number): Promise<never> {
  await running.engine?.close().catch(() => {})
  await running.site?.close()
  process.exit(status)
}

const print = (text: string) => console.log(text)

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop(130))

main().then(stop, (error: Error & { code?: string }) => {
  // What has a code, and what the command line got wrong, says enough without a stack.
  console.error(error.code || error instanceof TypeError ? error.message : error)
  return stop(1)
})
