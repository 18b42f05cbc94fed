import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Rollup } from 'vite'
import { writeFiles } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import {
  buildProgram,
  everyRuntime,
  evil,
  forVite,
  key,
  programFiles,
  run,
  tamper,
} from '../support/server-app.ts'
import { check, filesIn, vites, type ViteName } from './built.ts'

// Builds for servers by every Vite: once, and again while somebody works on the program.

const [node] = everyRuntime()

for (const vite of vites)
  for (const format of ['esm', 'cjs'] as const)
    test(`${vite}, ${format}: a program runs, and nothing of it that was changed`, async () => {
      const dist = await buildProgram('vite', { vite, format })
      const entry = join(dist, format === 'cjs' ? 'server.cjs' : 'server.js')
      assert.is(run(node!, entry).stdout, 'server shared\nlazy later shared\n')
      const paths = filesIn(dist).filter((path) => !/^(server|admin)\./.test(path))
      assert.ok(paths.length >= 4, paths.join())
      for (const path of paths) {
        const restore = tamper(join(dist, path))
        const { stdout, stderr } = run(node!, entry)
        restore()
        assert.not.match(stdout, evil, path)
        // The other entry's code is not loaded.
        if (!path.startsWith('admi_')) assert.match(stdout + stderr, 'ERR_SIGNEDIMP_', path)
      }
    })

async function watch(vite: ViteName, folder: string): Promise<Rollup.RollupWatcher> {
  const { build } = (await import(vite)) as typeof import('vite')
  const config = forVite(folder, { server: join(folder, 'src/server.js') }, {})
  const watched = { ...config.build, watch: {} }
  return (await build({ ...config, build: watched })) as Rollup.RollupWatcher
}

/** Waits until a program says something: a watcher does not tell when plugins have closed a build. */
async function says(dist: string, text: string): Promise<void> {
  const deadline = Date.now() + 30_000
  for (;;) {
    const { stdout, stderr } = run(node!, join(dist, 'server.js'))
    if (stdout === text) return
    if (Date.now() > deadline) throw new Error(`says ${stdout}${stderr}`)
    await sleep(100)
  }
}

for (const vite of vites)
  test(`${vite}: each build of a watched program is signed, and runs`, async () => {
    const folder = scratchFolder()
    await writeFiles(folder, { 'package.json': '{"type":"module"}', ...programFiles })
    const dist = join(folder, 'dist')
    const watcher = await watch(vite, folder)
    try {
      await says(dist, 'server shared\nlazy later shared\n')
      writeFileSync(join(folder, 'src/shared.js'), `export const shared = 'other'\n`)
      await says(dist, 'server other\nlazy later other\n')
      await check(dist, key, 'program')
    } finally {
      await watcher.close()
    }
  })

test.run()
