import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { appFiles, loadPlugin, serveApp, type TestSite } from '../support/app.ts'
import { inEngines } from '../support/browsers.ts'
import { writeFiles } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import { look, refusesChunk, starts } from '../support/visit.ts'

// Rollup's and Rolldown's own output, with a page that a plugin of the project emits, runs and is checked like Vite's.

const bundlers = ['rollup', 'rolldown'] as const
const sites: Partial<Record<(typeof bundlers)[number], TestSite>> = {}

test.before(async () => {
  const folder = scratchFolder()
  await writeFiles(folder, appFiles)
  const key = await generateKey('ed25519')
  const signedImp = await loadPlugin()
  const html = {
    name: 'html',
    generateBundle(this: { emitFile(file: object): string }) {
      const source = appFiles['index.html']!.replace('/src/main.js', '/assets/main.js')
      this.emitFile({ type: 'asset', fileName: 'index.html', source })
    },
  }
  for (const bundler of bundlers) {
    const { [bundler]: start } = (await import(bundler)) as Record<
      string,
      typeof import('rollup').rollup
    >
    const plugins = [signedImp(key, { name: 'app' }), html] as never[]
    const bundle = await start!({ input: join(folder, 'src/main.js'), plugins, onLog() {} })
    const dir = join(folder, bundler)
    const names = 'assets/[name].js'
    await bundle.write({ dir, entryFileNames: names, chunkFileNames: names })
    await bundle.close()
    sites[bundler] = await serveApp(dir)
  }
})

test.after(async () => {
  for (const site of Object.values(sites)) await site.close()
})

for (const bundler of bundlers) {
  inEngines(
    test,
    `${bundler}: the app runs, and refuses a chunk that was changed`,
    async (page) => {
      const site = sites[bundler]!
      site.reset()
      site.tamper('assets/a.js', 'changed')
      await starts(page, site)
      await refusesChunk(page, 'a', 'ERR_SIGNEDIMP_CHANGED')
    },
  )

  inEngines(
    test,
    `${bundler}: the app does not start when its main chunk was changed`,
    async (page) => {
      const site = sites[bundler]!
      site.reset()
      site.tamper('assets/main.js', 'changed')
      await page.goto(site.url)
      const { alert, evil, ran } = await look(page)
      assert.match(alert, /^ERR_SIGNEDIMP_CHANGED assets\/main\.js: /)
      assert.equal([evil, ran], [0, []])
    },
  )
}

test.run()
