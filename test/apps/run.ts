import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { version } from 'vite'
import { generateKey } from '../../src/keys/generate.ts'
import { serveApp, type TestSite } from '../support/app.ts'
import { launch, selectedEngines, type Engine } from '../support/browsers.ts'
import { whyMissing } from '../support/binaries.ts'
import { scratchFolder } from '../support/processes.ts'
import { buildApp, fileOf, refuses, runsEvil, works, type WorkerApp } from './app.ts'
import { monaco } from './monaco.ts'
import { pdfs } from './pdf.ts'
import { sqlites } from './sqlite.ts'

// Packages that start workers, as npm has them: `npm run test:apps [part of an app's name]`. It needs the npm registry.

const [part = ''] = process.argv.slice(2)
const apps = [monaco, ...pdfs, ...sqlites].filter(({ name }) => name.includes(part))
const count = { passed: 0, failed: 0, skipped: 0 }

const packages = Object.assign({}, ...apps.map((app) => app.packages)) as Record<string, string>
const root = scratchFolder()
install(packages)
const key = await generateKey('ecdsa-p256')
for (const [at, app] of apps.entries()) await tryApp(app, join(root, `app${at}`))
console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
process.exit(count.failed > 0 ? 1 : 0)

function install(wanted: Record<string, string>): void {
  const names = Object.entries(wanted).map(([name, version]) => `${name}@${version}`)
  console.log(`${names.join(', ')}, Vite ${version}`)
  const options = ['--prefix', root, '--no-audit', '--no-fund', '--ignore-scripts', '--silent']
  const { status } = spawnSync('npm', ['install', ...options, ...names], { stdio: 'inherit' })
  if (status !== 0) throw new Error('npm could not install them')
}

/** Of the plain build each file is changed, too: an attack that fails there proves nothing. */
async function tryApp(app: WorkerApp, folder: string): Promise<void> {
  for (const kind of ['plain', 'signed'] as const) {
    const built = await buildApp(app, folder, kind === 'signed' ? key : undefined).catch(report)
    if (built === undefined) continue
    const site = await serveApp(built, { headers: app.headers ?? {} })
    const { engines = selectedEngines() } = app
    for (const name of selectedEngines())
      if (whyMissing(name) || !engines.includes(name)) count.skipped++
      else await tryIn(await launch(name), { app, kind, site, built })
    await site.close()
  }

  function report(error: unknown): undefined {
    tell(`${app.name}: build`, error)
  }
}

interface Built {
  app: WorkerApp
  kind: 'plain' | 'signed'
  site: TestSite
  built: string
}

async function tryIn(engine: Engine, { app, kind, site, built }: Built): Promise<void> {
  const title = `${app.name} [${kind}, ${engine.name} ${engine.version}]`
  const attempt = async (what: string, work: () => Promise<void>) =>
    tell(`${title}: ${what}`, await work().then(() => undefined, String))
  await attempt('works', async () => works(await engine.open(), site, app))
  for (const pattern of app.workers) {
    const path = fileOf(built, pattern)
    const visit = { site, folder: built, path, headers: app.headers }
    const check = kind === 'signed' ? refuses : runsEvil
    await attempt(`changed ${path}`, async () => check(await engine.open(), visit))
  }
  await engine.close()
}

function tell(what: string, error: unknown): void {
  count[error === undefined ? 'passed' : 'failed']++
  console.log(error === undefined ? `ok   ${what}` : `FAIL ${what}: ${error}`)
}
