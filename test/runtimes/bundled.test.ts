import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { filesIn } from '../bundlers/built.ts'
import { lazy } from '../support/readme-app.ts'
import type { Runtime } from '../support/runtimes.ts'
import {
  buildProgram,
  bundlers,
  everyRuntime,
  evil,
  run,
  tamper,
  type Bundler,
  type Format,
  type Ran,
} from '../support/server-app.ts'
import { skip } from '../support/skip.ts'

// Programs of all bundlers, started in all runtimes as they were built, and with each of their files changed in turn.

const runtimes = everyRuntime()

/** In which runtimes what a bundler made is tried: with one bundler for each format in all. */
const runtimesFor = (bundler: Bundler, format: Format): Runtime[] =>
  bundler === (format === 'esm' ? 'esbuild' : 'rollup') ? runtimes : runtimes.slice(0, 1)

for (const format of ['esm', 'cjs'] as const)
  for (const bundler of bundlers) {
    const dist = lazy(() => buildProgram(bundler, { format }))
    const entry = format === 'cjs' ? 'server.cjs' : 'server.js'
    for (const runtime of runtimesFor(bundler, format)) {
      const title = `${bundler}, ${format}, in ${runtime.name}`
      if (runtime.missing) {
        skip(test, title, runtime.missing)
        continue
      }
      test(`${title}: runs`, async () => {
        const { status, stdout, stderr } = run(runtime, join(await dist(), entry))
        assert.is(stdout, 'server shared\nlazy later shared\n', stderr)
        assert.is(status, 0)
        assert.is(quiet(stderr), '')
      })
      test(`${title}: nothing that was changed runs, whichever file it is`, async () => {
        await tamperAll(await dist(), entry, runtime)
      })
    }
  }

test('what was changed says so where nothing checks it', async () => {
  const dist = await buildProgram('esbuild')
  tamper(join(dist, 'serve_.js'))
  assert.match(run(runtimes[0]!, join(dist, 'serve_.js')).stdout, evil)
})

/** Node 20 and 26 tell of their own hooks. */
const quiet = (stderr: string): string =>
  stderr.replace(/^\(.*Warning: .*\n|^\(Use `\w+ --trace-.*\n/gm, '')

/** Changes each file but the entries, which are what is trusted, and starts the program. */
async function tamperAll(dist: string, entry: string, runtime: Runtime): Promise<void> {
  const isEntry = (path: string) => /^(server|admin)\.c?js$/.test(path)
  const paths = filesIn(dist).filter((path) => !isEntry(path))
  assert.ok(paths.length >= 3, paths.join())
  for (const path of paths) {
    const restore = tamper(join(dist, path))
    const ran = run(runtime, join(dist, entry))
    restore()
    assert.not.match(ran.stdout, evil, path)
    checkRefusal(ran, path, runtime)
  }
}

function checkRefusal({ status, stdout, stderr }: Ran, path: string, { name }: Runtime): void {
  // Of another entry.
  if (path.startsWith('admi_')) return assert.is(status, 0, stderr)
  if (path.startsWith('lazy')) {
    // Deno gives its own error, which has ours in its message.
    const caught = name.startsWith('deno') ? 'refused' : `refused ERR_SIGNEDIMP_CHANGED ${path}`
    assert.match(stdout, caught)
    return assert.is(status, 0, stderr)
  }
  const code = path.endsWith('.txt') ? 'ERR_SIGNEDIMP_SIGNATURE' : `ERR_SIGNEDIMP_CHANGED ${path}`
  assert.is(status, 1, stderr)
  assert.is(stdout, '')
  assert.match(quiet(stderr), code)
  assert.is(quiet(stderr).trimEnd().split('\n').length, 1, stderr)
}

test.run()
