import { launch, type EngineName } from '../support/browsers.ts'
import type { Engine } from '../support/page.ts'
import { scratchFolder } from '../support/processes.ts'
import type { TestSite } from '../support/app.ts'
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

async function tryFramework(framework: Framework): Promise<void> {
  const folder = scratchFolder()
  const project = await makeProject(framework, folder)
  const versions = versionsOf(framework, folder)
  const found = framework.refused
    ? { result: expectRefusal(framework, project), load: '' }
    : await tryInEngines(framework, project)
  await writeRow({ framework, versions, ...found })
  console.log(`ok   ${framework.name}: ${versions}; ${found.result} ${found.load}`)
}

function expectRefusal({ refused }: Framework, { signed, said }: Project): string {
  if (signed !== undefined || !refused!.test(said)) throw new Error(`is not refused so: ${said}`)
  const [line] = said.split('\n').filter((line) => refused!.test(`${said.split('\n')[0]}\n${line}`))
  return `refused: ${line!.replace(/^.*?: /, '')}`
}

async function tryInEngines(framework: Framework, project: Project) {
  if (project.signed === undefined) throw new Error(`cannot be sealed: ${project.said}`)
  const [plain, signed] = [await serveFolder(project.plain), await serveFolder(project.signed)]
  const isRenamed = framework.plugin !== undefined
  let needed: string[] | undefined
  const results: string[] = []
  let load = ''
  for (const name of engineNames) {
    const engine = await launch(name)
    needed ??= await findNeeded(engine, plain)
    const { changed, refused } = await attack(engine, { plain, signed, needed, isRenamed })
    const title = `${name} ${engine.version}`
    results.push(`${title}: ${changed} scripts changed, none ran, ${refused} refused`)
    if (name === 'chromium') load = await measure(engine, [project.plain, project.signed])
    await engine.close()
  }
  await Promise.all([plain.site.close(), signed.site.close()])
  return { result: `works; ${results.join('; ')}`, load }
}

async function serveFolder(folder: string): Promise<Target> {
  return { site: await serveRecorded(folder), scripts: filesIn(folder, /\.m?js$/) }
}

async function measure(engine: Engine, folders: [string, string]): Promise<string> {
  const { latency } = conditions
  const sites = (await Promise.all(
    folders.map((folder) => serveRecorded(folder, { latency, cache: 'max-age' })),
  )) as [TestSite, TestSite]
  const ratio = await compareLoads(engine, sites)
  for (const site of sites) await site.close()
  return `${formatRatio(ratio)}, n = ${ratio.runs}`
}
