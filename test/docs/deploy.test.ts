import { spawnSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { serve } from '../../playground/server.ts'
import { buildRecipe, recipes } from '../support/entry-recipes.ts'
import { blocksOf, codesOf, readDocument, rowsOf, sectionOf } from '../support/markdown.ts'
import { copyApp, createApp, lazy, runBeside, runScript, succeed } from '../support/readme-app.ts'
import { skip } from '../support/skip.ts'

// What docs/deploy.md says of a build's files.

const page = readDocument('docs/deploy.md')
const verifying = sectionOf(page, 'Verify before and after')

const build = lazy(async () => {
  const config = `import signedImp from 'signedimp'
export default { plugins: [signedImp('release.pem', { inline: false })] }`
  const app = await createApp(config)
  succeed('vite build', app)
  return app
})

/** Whether a pattern of the table names a file: `*` for anything, `<16 hex>` for the hash of a name of ours. */
function names(pattern: string, file: string): boolean {
  if (pattern === 'HTML') return file.endsWith('.html')
  const parts = pattern.split(/(\*|<16 hex>)/).map((part) => {
    if (part === '*') return '.*'
    return part === '<16 hex>' ? '[0-9a-f]{16}' : part.replaceAll('.', '\\.')
  })
  return new RegExp(`^${parts.join('')}$`).test(file)
}

const filesIn = (dist: string): string[] =>
  readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dist.length + 1))

test('the table of cache headers has every file of a build, once', async () => {
  const rows = rowsOf(sectionOf(page, 'Cache headers')).map(([files]) =>
    files!.split(', ').map((cell) => /`(.+)`/.exec(cell)?.[1] ?? cell),
  )
  const entries = await buildRecipe(recipes.find(({ section }) => section === 'A tag by hand')!)
  const files = [join(await build(), 'dist'), entries.dir].flatMap(filesIn)
  assert.ok(files.length > 12, files.join())
  for (const own of ['runtime', 'late', 'blob'])
    assert.ok(
      files.some((file) => file.startsWith(`signedimp-${own}-`)),
      own,
    )
  for (const file of files) {
    const fitting = rows.filter((patterns) => patterns.some((pattern) => names(pattern, file)))
    assert.is(fitting.length, 1, file)
  }
})

test('the exit status of verify is what the document says', async () => {
  const app = await build()
  const [verify] = codesOf(verifying).filter((code) => code.startsWith('npx '))
  assert.is(runScript(verify!, app).status, 0)
  assert.is(runScript(verify!.replace('shop', 'another'), app).status, 1)
  assert.is(runScript(verify!.replace('.pub', '.none'), app).status, 2)
})

test('a deployment can fail on pages that refuse nothing', async () => {
  const [check] = blocksOf(sectionOf(page, 'Rolling out'), 'sh')
  const app = copyApp(await build())
  assert.is(runScript(check!, app).status, 0)
  const [config] = blocksOf(sectionOf(page, 'Rolling out'), 'js')
  writeFileSync(join(app, 'vite.config.js'), config!)
  succeed('vite build', app)
  assert.is(runScript(check!, app).status, 1)
  const json = succeed(check!.replace(/ \|.*/s, ''), app)
  assert.equal(JSON.parse(json).reportOnly, ['index.html'])
})

if (spawnSync('curl', ['--version']).error)
  skip(test, 'what is served is fetched and verified', 'curl is not installed')
else
  test('what is served is fetched and verified', async () => {
    const app = copyApp(await build())
    const site = await serve(join(app, 'dist'))
    const [script] = blocksOf(verifying, 'sh')
    const fetched = script!.replace('https://shop.example/', site.url)
    try {
      assert.is((await runBeside(fetched, app)).status, 0)
      site.tamper('index.html', 'changed')
      assert.is((await runBeside(`rm -r served\n${fetched}`, app)).status, 1)
    } finally {
      await site.close()
    }
  })

test('files of an earlier build are listed again, where the output folder is not emptied', async () => {
  const app = copyApp(await build())
  const config = `import signedImp from 'signedimp'
export default { plugins: [signedImp('release.pem')], build: { emptyOutDir: false } }`
  writeFileSync(join(app, 'vite.config.js'), config)
  writeFileSync(join(app, 'src/cart.js'), "export const cart = 'another'")
  succeed('npx vite build', app)
  const carts = readdirSync(join(app, 'dist/assets')).filter((name) => /^cart.*\.js$/.test(name))
  assert.is(carts.length, 2)
  succeed('npx signedimp verify dist --key release.pem.pub --name shop', app)
})

test.run()
