import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { lazy } from '../support/readme-app.ts'
import { buildProgram, everyRuntime, evil, run, tamper } from '../support/server-app.ts'
import { skip } from '../support/skip.ts'

// Worker threads and forked children of programs: entries of the same output, which start with the same hooks.

const files = {
  'src/server.js': `import { fork } from 'node:child_process'
import { Worker } from 'node:worker_threads'
import { fileURLToPath } from 'node:url'
const tell = (what) => (error) => console.log(what, error.message.replace(/.*(ERR_SIGNEDIMP_\\w+).*/s, '$1'))
const started = {
  worker: () => new Worker(new URL('./worker.js', import.meta.url)),
  child: () => fork(fileURLToPath(new URL('./child.js', import.meta.url))),
  text: () => new Worker('console.log("EVIL")', { eval: true }),
}
try {
  const one = started[process.argv[2]]()
  one.on('message', (message) => console.log(message))
  one.on('error', tell('error'))
  one.on('exit', (code) => console.log('exit', code))
} catch (error) {
  tell('thrown')(error)
}
`,
  'src/worker.js': `import { parentPort } from 'node:worker_threads'
import { shared } from './shared.js'
import('./lazy.js').then(
  (lazy) => parentPort.postMessage('worker ' + shared + lazy.default),
  (error) => parentPort.postMessage('refused ' + error.message.replace(/.*(ERR_SIGNEDIMP_\\w+).*/s, '$1')),
)
`,
  'src/child.js': `import { shared } from './shared.js'
import('./lazy.js').then(
  (lazy) => process.send('child ' + shared + lazy.default),
  (error) => process.send('refused ' + error.message.replace(/.*(ERR_SIGNEDIMP_\\w+).*/s, '$1')),
).then(() => process.disconnect())
`,
  'src/shared.js': `export const shared = 'shared'\n`,
  'src/lazy.js': `import { shared } from './shared.js'\nexport default ' later ' + shared\n`,
}

const entries = ['server', 'worker', 'child']
const dist = lazy(() => buildProgram('rollup', { files, entries }))

/** Deno cannot be told what a worker or a child loads first. */
const canStart = (runtime: string): boolean => !runtime.startsWith('deno')

for (const runtime of everyRuntime()) {
  if (runtime.missing) {
    skip(test, `workers in ${runtime.name}`, runtime.missing)
    continue
  }
  for (const what of ['worker', 'child'])
    test(`${runtime.name}: a ${what} of the output starts, or is refused`, async () => {
      const { stdout, stderr } = run(runtime, join(await dist(), 'server.js'), what)
      if (canStart(runtime.name)) assert.is(stdout, `${what} shared later shared\nexit 0\n`, stderr)
      else assert.is(stdout, 'thrown ERR_SIGNEDIMP_NOT_ENFORCEABLE\n', stderr)
    })

  for (const what of ['worker', 'child'])
    test(`${runtime.name}: nothing that was changed runs in a ${what}`, async () => {
      const dir = await dist()
      const main = `${what.slice(0, -1)}_.js`
      for (const path of [`${what}.js`, main, await nameOf('shared'), await nameOf('lazy')]) {
        const restore = tamper(join(dir, path))
        const { stdout, stderr } = run(runtime, join(dir, 'server.js'), what)
        restore()
        assert.not.match(stdout + stderr, evil, path)
        assert.match(stdout + stderr, 'ERR_SIGNEDIMP_', path)
      }
    })

  test(`${runtime.name}: a worker of text is refused`, async () => {
    const { stdout } = run(runtime, join(await dist(), 'server.js'), 'text')
    assert.match(stdout, /^thrown ERR_SIGNEDIMP_\w+\n$/)
  })
}

async function nameOf(stem: string): Promise<string> {
  const { filesIn } = await import('../bundlers/built.ts')
  return filesIn(await dist()).find((path) => path.startsWith(`${stem}-`))!
}

test.run()
