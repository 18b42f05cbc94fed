import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { installInto } from '../bundlers/project.ts'
import { writeFiles } from '../support/fixture.ts'
import { blocksOf, readDocument, sectionOf } from '../support/markdown.ts'
import { copyApp, createApp, lazy, succeed } from '../support/readme-app.ts'
import { everyRuntime, run, tamper } from '../support/server-app.ts'

// The recipes of docs/servers.md, followed in the app of the README, and started by the Node that runs the tests.

const page = readDocument('docs/servers.md')
const build = sectionOf(page, 'Build one')
const [forEsbuild, forRollup, forVite] = blocksOf(build, 'js')
const [node] = everyRuntime()

const source = `import { cart } from './names.js'
console.log('server', cart)
import('./report.js')
  .then((report) => console.log(report.default))
  .catch((error) => console.log(error.code, error.path))
`

const app = lazy(async () => {
  const folder = await createApp()
  installInto(folder, 'rollup')
  await writeFiles(folder, {
    'src/server.js': source,
    'src/names.js': `export const cart = 'open'\n`,
    'src/report.js': `export default 'report'\n`,
    'build.js': forEsbuild!,
    'rollup.config.js': forRollup!,
    'vite.config.js': forVite!,
  })
  return folder
})

const commands = {
  esbuild: (folder: string) => succeed(`'${process.execPath}' build.js`, folder),
  rollup: (folder: string) =>
    succeed(`'${process.execPath}' node_modules/rollup/dist/bin/rollup -c --silent`, folder),
  vite: (folder: string) => succeed(blocksOf(build, 'sh')[0]!, folder),
}

for (const [bundler, command] of Object.entries(commands))
  test(`${bundler}: the recipe builds a program that runs, and that is refused as the page says`, async () => {
    const folder = copyApp(await app())
    command(folder)
    const dist = join(folder, bundler === 'vite' ? 'dist/server' : 'dist')
    const started = run(node!, join(dist, 'server.js'))
    assert.is(started.stdout, 'server open\nreport\n', started.stderr)
    tamper(join(dist, 'serve_.js'))
    const { status, stdout, stderr } = run(node!, join(dist, 'server.js'))
    assert.is(status, 1)
    assert.is(stdout, '')
    const shown = blocksOf(sectionOf(page, 'What is refused, and how it shows'), 'text')[0]!
    assert.is(stderr, shown)
  })

test("Vite's configuration signs the pages, too", async () => {
  const folder = copyApp(await app())
  commands.vite(folder)
  const key = ['--key', 'release.pem.pub', '--name', 'shop']
  for (const dir of ['dist/client', 'dist/server'])
    succeed(`signedimp verify ${dir} ${key.join(' ')}`, folder)
  assert.ok(existsSync(join(folder, 'dist/client/index.html')))
})

test.run()
