import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { loadPlugin, serveApp, type TestSite } from '../support/app.ts'
import { inEngines } from '../support/browsers.ts'
import { handWritten } from '../support/entry-app.ts'
import { writeFiles } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import { glance } from '../support/visit.ts'

// Entries whose base names another host, with and without its scheme (Vite's `base`).

const files = {
  'package.json': '{"type":"module"}',
  'src/main.js': `import { l } from './l.js'
globalThis.app = import('./m.js').then((m) => [l(), m.v])`,
  'src/l.js': `export const l = () => 'é'`,
  'src/m.js': `import { l } from './l.js'
export const v = l()`,
}

const open: TestSite[] = []
test.after(async () => {
  for (const site of open) await site.close()
})

async function build(hasScheme: boolean) {
  const root = scratchFolder()
  await writeFiles(root, files)
  const outDir = join(root, 'dist')
  mkdirSync(outDir)
  const cdn = await serveApp(outDir, { cors: true })
  const page = await serveApp(outDir)
  open.push(cdn, page)
  const base = hasScheme ? cdn.url : cdn.url.replace('http:', '')
  const signedImp = await loadPlugin()
  const vite = await import('vite')
  await vite.build({
    root,
    base,
    logLevel: 'silent',
    plugins: [signedImp(await generateKey('ed25519'), { name: 'app' })] as never[],
    build: {
      outDir,
      rollupOptions: {
        input: join(root, 'src/main.js'),
        output: { entryFileNames: 'assets/main.js' },
      },
    },
  })
  page.reply(
    'hand.html',
    handWritten(`<script type="module" crossorigin src="${base}assets/main.js"></script>`),
  )
  return page.url
}

for (const hasScheme of [true, false])
  inEngines(test, `a base ${hasScheme ? 'with' : 'without'} a scheme`, async (page) => {
    await page.goto((await build(hasScheme)) + 'hand.html')
    const ended = `'app' in globalThis || document.querySelector('[role=alert]') || errors.length`
    await page.waitFor(ended, 4000).catch(() => {})
    assert.equal(await page.evaluate('globalThis.app'), ['é', 'é'])
    assert.is((await glance(page)).alert, '')
  })

test.run()
