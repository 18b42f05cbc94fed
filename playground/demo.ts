/** `npm run demo`: a signed app on a server that can tamper, to watch or as a table. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import picocolors from 'picocolors'
import { whyMissing, type EngineName } from '../test/support/binaries.ts'
import { engines, launch, type Engine } from '../test/support/browsers.ts'
import { appFolders, buildApp, buildEsbuildApp, type AppName } from './build.ts'
import { control, demoFiles } from './demo/control.ts'
import { attack, failure, format, heading, targets } from './demo/table.ts'
import { serve, type Site } from './server.ts'

const help = `npm run demo -- [react|esbuild] [flags]

Builds an app of the playground, signed, and serves it from a host that can tamper with it: a React app by Vite, or one
without framework by esbuild. React, if none is named.

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
  const { flags, app } = readArguments()
  if (flags.help) return (print(help.trimEnd()), 0)
  const hasDisplay = ['darwin', 'win32'].includes(process.platform) || hasDisplayServer()
  const wantsTable = flags.table ?? (!hasDisplay && !flags.serve)
  const browser = wantsTable ? findBrowser(flags.browser) : undefined
  if (wantsTable && !browser) return 2

  const outDir = join(appFolders[app], 'dist')
  await build[app](outDir, flags.plain === true)
  const site = await start(outDir, Number(flags.port ?? 0))
  const address = new URL('/', site.url).href
  const status = browser ? await table(address, browser, demoFiles(outDir)) : 0
  if (!wantsTable || flags.serve) await keepServing(address)
  else print(`\nTo click through it yourself: npm run demo -- ${app} --serve`)
  return status
}

function readArguments() {
  const { values: flags, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      table: { type: 'boolean' },
      serve: { type: 'boolean' },
      browser: { type: 'string' },
      plain: { type: 'boolean' },
      port: { type: 'string' },
      help: { type: 'boolean' },
    },
  })
  const [app = 'react', ...others] = positionals
  if (others.length > 0 || !Object.hasOwn(appFolders, app))
    throw new TypeError(`the app must be react or esbuild; it is ${positionals.join(' ')}`)
  return { flags, app: app as AppName }
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

const build: Record<AppName, (outDir: string, plain: boolean) => Promise<void>> = {
  async react(outDir, plain) {
    if (plain) return buildApp(outDir, { base, plugins: [] })
    await makeKey('react')
    await buildApp(outDir, { base })
  },
  async esbuild(outDir, plain) {
    if (plain) return buildEsbuildApp(outDir, { base, plugins: [] })
    await makeKey('esbuild')
    await buildEsbuildApp(outDir, { base })
  },
}

/** A key for the demo alone, kept out of git and without a password. */
async function makeKey(app: AppName): Promise<void> {
  const file = join(appFolders[app], 'release.pem')
  if (existsSync(file)) return
  const { generateKey } = await import('../src/keys/generate.ts')
  const { saveKey } = await import('../src/keys/save.ts')
  await saveKey(await generateKey(), file, { password: null })
  print(`Made a key for the demo: playground/${app}/release.pem`)
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
