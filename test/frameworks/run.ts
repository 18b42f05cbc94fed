import { join } from 'node:path'
import { launch, type EngineName } from '../support/browsers.ts'
import type { SiteOptions } from '../../playground/server.ts'
import type { Engine } from '../support/page.ts'
import { scratchFolder } from '../support/processes.ts'
import { formatRatio } from '../bench/statistics.ts'
import { frameworks } from './all.ts'
import { attack, findNeeded, type Target } from './attack.ts'
import { compareLoads, conditions } from './first-load.ts'
import type { Framework } from './framework.ts'
import { makeProject, versionsOf, type Project } from './project.ts'
import { writeRow } from './table.ts'
import { filesIn, serveRecorded } from './walk.ts'

// Frameworks as npm has them: `npm run test:frameworks [start of a framework's name …]`. It needs the npm registry, and
// writes what it finds into docs/frameworks.md.

const engineNames: readonly EngineName[] = ['chromium', 'firefox']
const parts = process.argv.slice(2)
const wanted = frameworks.filter(
  ({ name }) => parts.length === 0 || parts.some((part) => name.startsWith(part)),
)
const failed: string[] = []
for (const framework of wanted)
  await tryFramework(framework).catch((error: unknown) => {
    failed.push(framework.name)
    console.log(`FAIL ${framework.name}: ${error instanceof Error ? error.stack : error}`)
  })
console.log(`${wanted.length - failed.length} passed, ${failed.length} failed`)
process.exit(failed.length > 0 ? 1 : 0)

/** What is known is written at once: the rest takes long on a busy machine. */
async function tryFramework(framework: Framework): Promise<void> {
  const folder = folderOf(framework)
  const project = await makeProject(framework, folder)
  const versions = versionsOf(framework, folder)
  const tell = async (result: string, load: string) => {
    await writeRow({ framework, versions, result, load })
    console.log(`ok   ${framework.name}: ${versions}; ${result} ${load}`)
  }
  if (framework.refused) return tell(expectRefusal(framework, project), '')
  if (project.signed === undefined) throw new Error(`cannot be sealed: ${project.said}`)
  const results: string[] = []
  for await (const result of attackInEngines(framework, project)) {
    results.push(result)
    await tell(`works; ${results.join('; ')}`, 'not measured')
  }
  await tell(`works; ${results.join('; ')}`, await measure(project))
}

/** A folder of its own, which goes when this ends, or one that `SIGNEDIMP_FRAMEWORKS` keeps for the next run. */
function folderOf({ packages }: Framework): string {
  const kept = process.env.SIGNEDIMP_FRAMEWORKS
  return kept ? join(kept, Object.keys(packages).join('-').replaceAll('/', '-')) : scratchFolder()
}

function expectRefusal({ refused }: Framework, { signed, said }: Project): string {
  if (signed !== undefined || !refused!.test(said)) throw new Error(`is not refused so: ${said}`)
  const [line] = said.split('\n').filter((line) => refused!.test(`${said.split('\n')[0]}\n${line}`))
  return `refused: ${line!.replace(/^.*?: /, '')}`
}

async function* attackInEngines(framework: Framework, project: Project): AsyncGenerator<string> {
  const [plain, signed] = [await serveFolder(project.plain), await serveFolder(project.signed!)]
  const isRenamed = framework.plugin !== undefined
  let needed: string[] | undefined
  for (const name of engineNames) {
    const engine = await start(name)
    needed ??= await findNeeded(engine, plain)
    const { changed, refused } = await attack(engine, { plain, signed, needed, isRenamed })
    yield `${name} ${engine.version}: ${changed} scripts changed, none ran, ${refused} refused`
    await engine.close()
  }
  await Promise.all([plain.site.close(), signed.site.close()])
}

/** Starts a browser, again where a busy machine has kept it from it. */
async function start(name: EngineName, left = 3): Promise<Engine> {
  return launch(name).catch((error: unknown) => {
    if (left === 0) throw error
    return start(name, left - 1)
  })
}

async function serveFolder(folder: string): Promise<Target> {
  return { site: await serveRecorded(folder), scripts: filesIn(folder, /\.m?js$/) }
}

async function measure({ plain, signed }: Project): Promise<string> {
  const options: SiteOptions = { latency: conditions.latency, cache: 'max-age' }
  const sites = [
    await serveRecorded(plain, options),
    await serveRecorded(signed!, options),
  ] as const
  const engine = await start('chromium')
  const ratio = await compareLoads(engine, sites)
  await engine.close()
  for (const site of sites) await site.close()
  return `${formatRatio(ratio)}, n = ${ratio.runs}`
}
