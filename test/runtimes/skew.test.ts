import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { writeFiles } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import type { Runtime } from '../support/runtimes.ts'
import { buildProgram, everyRuntime, run, type Ran } from '../support/server-app.ts'
import { runProgram, servers, sign, signProgram } from '../support/server-program.ts'
import { skip } from '../support/skip.ts'

// While a program runs, its folder gets another release, signed by the same key: what it starts then would be of that one.

const program = (release: string) => ({
  'main.mjs': `import { fork } from 'node:child_process'
import { cpSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
const url = (path) => new URL(path, import.meta.url), [way, next] = process.argv.slice(2)
const start = { worker: () => new Worker(url('./child.mjs')), child: () => fork(fileURLToPath(url('./child.mjs'))) }[way]
const answer = (child) => new Promise((settle) => {
  child.on('message', settle).on('error', (error) => settle(/ERR_SIGNEDIMP_\\w+/.exec(error.code + ' ' + error.message)?.[0])).on('exit', (status) => setTimeout(settle, 100, 'ended ' + status))
})
console.log(await answer(start()))
cpSync(next, fileURLToPath(url('.')), { recursive: true, force: true })
console.log(await answer(start()))
process.exit(0)
`,
  'child.mjs': `import { parentPort } from 'node:worker_threads'
const word = '${release}'
if (parentPort) parentPort.postMessage(word)
else process.send(word)
process.disconnect?.()
`,
})

/** Deno starts neither. */
const startsChildren = ({ name }: Runtime) => !name.startsWith('deno')

/** A thread hands on why it may not start; a process says it, and ends. */
function isSkew({ stdout, stderr }: Ran, way: string): void {
  const [first, second] = stdout.trim().split('\n')
  assert.is(first, 'old', stderr)
  if (second !== 'ERR_SIGNEDIMP_VERSION_SKEW') {
    assert.is(second, 'ended 1', stderr)
    assert.match(stderr, 'ERR_SIGNEDIMP_VERSION_SKEW', way + stderr)
  }
}

for (const runtime of servers.filter(startsChildren))
  for (const way of ['worker', 'child']) {
    const title = `${runtime.name}: a ${way} of another release does not start`
    if (runtime.missing) skip(test, title, runtime.missing)
    else
      test(title, async () => {
        const old = await signProgram(program('old'))
        const next = join(scratchFolder(), 'next')
        await writeFiles(next, program('new'))
        await sign(next, old.signer)
        const ran = runProgram(runtime, old, { args: [way, next] })
        isSkew(ran, way)
        // It is as good as the first, for whoever starts with it.
        assert.match(runProgram(runtime, old, { args: [way, next] }).stdout, /^new\n/)
      })
  }

const sources = (release: string) => {
  const { 'main.mjs': main, 'child.mjs': child } = program(release)
  return {
    'src/server.js': main.replaceAll('child.mjs', 'child.js'),
    'src/child.js': child,
  }
}

const build = (release: string, number: number) =>
  buildProgram('rollup', {
    files: sources(release),
    entries: ['server', 'child'],
    signed: { build: number },
  })

for (const runtime of everyRuntime().filter(startsChildren))
  for (const way of ['worker', 'child']) {
    const title = `${runtime.name}: a ${way} of another build does not start`
    if (runtime.missing) skip(test, title, runtime.missing)
    else
      test(title, async () => {
        const dist = join(scratchFolder(), 'dist')
        cpSync(await build('old', 1), dist, { recursive: true })
        isSkew(run(runtime, join(dist, 'server.js'), way, await build('new', 2)), way)
      })
  }

test.run()
