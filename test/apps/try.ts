import { mkdirSync } from 'node:fs'
import { generateKey } from '../../src/keys/generate.ts'
import { serveApp } from '../support/app.ts'
import { launch, type EngineName } from '../support/browsers.ts'
import { buildApp, fileOf, refuses, runsEvil, works } from './app.ts'
import { monaco } from './monaco.ts'
import { pdfs } from './pdf.ts'
import { sqlites } from './sqlite.ts'
const key = await generateKey('ecdsa-p256')
const all = [monaco, ...pdfs, ...sqlites]
const engines = (process.argv[3] ?? 'chromium').split(',') as EngineName[]
for (const [i, app] of all.entries()) {
  if (process.argv[2] && !app.name.includes(process.argv[2])) continue
  console.log('==', app.name)
  for (const kind of (process.argv[4] ?? 'plain,signed').split(',')) {
    try {
      const root = `/tmp/wapps/a${i}`
      mkdirSync(root, { recursive: true })
      const folder = await buildApp(app, root, kind === 'signed' ? key : undefined)
      const site = await serveApp(folder)
      for (const name of engines) {
        const engine = await launch(name)
        const page = await engine.open()
        try {
          await works(page, site, app)
          console.log('  ok works', kind, name)
        } catch (error) { console.log('  FAIL works', kind, name, String(error), (error as any).details ?? '', page.messages()) }
        for (const pattern of app.workers) {
          const page = await engine.open()
          try {
            const path = fileOf(folder, pattern)
            await (kind === 'signed' ? refuses : runsEvil)(page, site, folder, path)
            console.log('  ok changed', kind, name, path)
          } catch (error) { console.log('  FAIL changed', kind, name, pattern, String(error), (error as any).details ?? '', page.messages()) }
        }
        await engine.close()
      }
      await site.close()
    } catch (error) { console.log('  FAIL build', kind, String(error)) }
  }
}
process.exit(0)
