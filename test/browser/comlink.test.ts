import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import { generateKey } from '../../src/keys/generate.ts'
import { buildApp, fileOf, refuses, runsEvil, works } from '../apps/app.ts'
import { comlink } from '../apps/comlink.ts'
import { serveApp, type TestSite } from '../support/app.ts'
import { inEngines } from '../support/browsers.ts'
import { root as checkout } from '../support/files.ts'
import { scratchFolder } from '../support/processes.ts'

// A worker as many apps have one; others of their kind are tried by test/apps/run.ts.

interface Built {
  folder: string
  site: TestSite
}
const apps = {} as Record<'plain' | 'signed', Built>

test.before(async () => {
  const root = scratchFolder()
  symlinkSync(join(checkout, 'node_modules'), join(root, 'node_modules'), 'junction')
  for (const name of ['plain', 'signed'] as const) {
    const key = name === 'signed' ? await generateKey('ecdsa-p256') : undefined
    const folder = await buildApp(comlink, root, key)
    apps[name] = { folder, site: await serveApp(folder) }
  }
})

test.after(async () => {
  for (const { site } of Object.values(apps)) await site.close()
})

const changed = ({ folder, site }: Built) => ({
  site,
  folder,
  path: fileOf(folder, comlink.workers[0]!),
})

for (const name of ['plain', 'signed'] as const)
  inEngines(test, `Comlink works: ${name}`, (page) => works(page, apps[name].site, comlink))

inEngines(test, 'a changed worker runs without the plugin', (page) =>
  runsEvil(page, changed(apps.plain)),
)

inEngines(test, 'a changed worker is refused', (page) => refuses(page, changed(apps.signed)))

test.run()
