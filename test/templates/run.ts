import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Framework } from '../frameworks/framework.ts'
import { makeProject } from '../frameworks/project.ts'
import { writeCells, type Table } from '../frameworks/table.ts'
import { launch, selectedEngines } from '../support/browsers.ts'
import { scratchFolder } from '../support/processes.ts'
import { templates } from './templates.ts'
import { attack, serveTemplate } from './visit.ts'

// The templates of create-vite, as npm has them: `npm run test:templates [start of a template's name …]`. It needs the npm
// registry, and writes what it finds into docs/templates.md.

const table: Table = {
  document: 'docs/templates.md',
  name: 'templates',
  columns: ['Template', 'Versions', 'Result', 'Run on'],
  rows: templates.map(({ name }) => name),
}

const parts = process.argv.slice(2)
const wanted = templates.filter(
  ({ name }) => parts.length === 0 || parts.some((part) => name.startsWith(part)),
)
const count = { passed: 0, failed: 0 }
for (const template of wanted) {
  try {
    const { versions, result } = await tryTemplate(template)
    await writeCells(table, [template.name, versions, result])
    console.log(`ok   ${template.name}: ${versions}; ${result}`)
    count.passed++
  } catch (error) {
    console.log(`FAIL ${template.name}: ${error instanceof Error ? error.stack : error}`)
    count.failed++
  }
}
console.log(`${count.passed} passed, ${count.failed} failed`)
process.exit(count.failed > 0 ? 1 : 0)

async function tryTemplate(template: Framework): Promise<{ versions: string; result: string }> {
  const folder = scratchFolder()
  const project = await makeProject(template, folder).catch((error: Error) => error)
  if (project instanceof Error) {
    const reason = /npm error notarget (No matching version .*?)\.?\n/.exec(project.message)?.[1]
    if (reason === undefined) throw project
    return { versions: '', result: `cannot be installed: ${reason}` }
  }
  const [plain, signed] = [await serveTemplate(project.plain), await serveTemplate(project.signed!)]
  const results: string[] = []
  for (const name of selectedEngines()) {
    const engine = await launch(name)
    const { scripts, refused, styles } = await attack(engine, plain, signed)
    await engine.close()
    results.push(
      `${name} ${engine.version}: ${scripts} scripts, ${refused} refused; ${styles} stylesheets`,
    )
  }
  await Promise.all([plain.site.close(), signed.site.close()])
  return { versions: versionsIn(join(folder, 'app')), result: `works; ${results.join('; ')}` }
}

/** What a template itself asks for, in the versions that it got. */
function versionsIn(app: string): string {
  const read = (file: string) => JSON.parse(readFileSync(file, 'utf8'))
  const { dependencies, devDependencies } = read(join(app, 'package.json'))
  return Object.keys({ ...dependencies, ...devDependencies })
    .filter((name) => !/^@types\/|^typescript$|lint|tsc|svelte-check|tsconfig|^serve$/.test(name))
    .map((name) => `${name} ${read(join(app, 'node_modules', name, 'package.json')).version}`)
    .join(', ')
}
