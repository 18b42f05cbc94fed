import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { signedImp } from 'signedimp'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { buildFixture } from '../support/fixture.ts'
import { check } from './built.ts'

// Vite's environments, since 6: several builds in one process, which may share their plugins and configuration.

const key = await generateKey('ed25519')
const files = {
  'index.html': '<!doctype html><script type="module" src="/src/main.js"></script>',
  'src/main.js': 'import("./lazy.js").then(console.log)',
  'src/lazy.js': 'export default 1',
  'src/server.js': 'export default 1',
}

const modes: Record<string, object> = {
  'as by default': {},
  'with shared plugins': { sharedPlugins: true },
  'with a shared configuration': { sharedConfigBuild: true },
}

/** Builds a client, a second one, and a server; gives their folders. */
async function buildAll(vite: 'vite6' | 'vite7' | 'vite', builder: object, isParallel: boolean) {
  const folder = dirname(await buildFixture(files, { vite }))
  const { createBuilder } = (await import(vite)) as typeof import('vite')
  const outDir = (name: string) => join(folder, 'out', name)
  const server = {
    outDir: outDir('ssr'),
    ssr: true,
    rollupOptions: { input: join(folder, 'src/server.js') },
  }
  const app = await createBuilder({
    root: folder,
    configFile: false,
    logLevel: 'silent',
    plugins: [signedImp(key, { name: 'fixture' }) as never],
    builder,
    environments: {
      client: { build: { outDir: outDir('client') } },
      admin: { consumer: 'client', build: { outDir: outDir('admin') } },
      ssr: { build: server },
    },
  })
  const builds = Object.values(app.environments).map((environment) => () => app.build(environment))
  if (isParallel) await Promise.all(builds.map((build) => build()))
  else for (const build of builds) await build()
  return outDir
}

for (const vite of ['vite6', 'vite7', 'vite'] as const)
  for (const [mode, builder] of Object.entries(modes))
    for (const isParallel of [false, true])
      test(`${vite}: pages are signed, ${mode}, ${isParallel ? 'side by side' : 'in turns'}, and the server is not`, async () => {
        const outDir = await buildAll(vite, builder, isParallel)
        for (const name of ['client', 'admin']) {
          const { main, pages } = await check(outDir(name), key)
          assert.is(pages.size, 1)
          assert.ok(main.files.has('index.html'))
        }
        assert.ok(existsSync(outDir('ssr')))
        assert.not.ok(existsSync(join(outDir('ssr'), 'signedimp-manifest.txt')))
      })

test.run()
