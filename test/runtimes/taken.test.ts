import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { writeFiles } from '../support/fixture.ts'
import { lazy } from '../support/readme-app.ts'
import type { Runtime } from '../support/runtimes.ts'
import { buildProgram, everyRuntime, run } from '../support/server-app.ts'
import { skip } from '../support/skip.ts'

// A host that imports a signed program has taken functions before: by each of them, it tries to run a file that nobody
// signed. What is refused, and what is not, stands in docs/servers.md.

const host = `import { fork } from 'node:child_process'
import cluster from 'node:cluster'
import { EventEmitter } from 'node:events'
import Module, * as module from 'node:module'
import { Worker } from 'node:worker_threads'
const require = module.createRequire(import.meta.url)
const { Worker: Taken } = require('node:worker_threads'), { fork: takenFork } = require('node:child_process')
const { Worker: Global } = globalThis, { registerHooks, enableCompileCache } = Module, { dlopen } = process
class Own extends Worker {}
await import('./dist/server.js')
const evil = new URL('evil.mjs', import.meta.url), path = evil.pathname
const codeOf = (error) => /ERR_SIGNEDIMP_\\w+/.exec(error?.code + ' ' + error?.message)?.[0] ?? String(error)
const answer = (child) => new Promise((settle) => {
  child.on('message', settle).on('error', (error) => settle(codeOf(error))).on('exit', (status) => setTimeout(settle, 100, 'ended ' + status))
})
const replaces = async (register) => {
  const source = 'export default "EVIL"'
  register({ load: (url, context, next) => url === evil.href ? { format: 'module', source, shortCircuit: true } : next(url, context) })
  return (await import(evil)).default
}
const ways = {
  Worker: () => answer(new Worker(evil)),
  'required Worker': () => answer(new Taken(evil)),
  'a class of its own': () => answer(new Own(evil)),
  'a base given back': () => answer(new (Object.setPrototypeOf(Taken, EventEmitter))(evil)),
  'global Worker': () => new Promise((settle) => {
    new Global(evil, { type: 'module' }).onmessage = ({ data }) => settle(data)
  }),
  fork: () => answer(fork(path)),
  'required fork': () => answer(takenFork(path)),
  cluster: () => { cluster.setupPrimary({ exec: path }); return answer(cluster.fork()) },
  enableCompileCache: () => enableCompileCache('/nowhere').status === Module.constants.compileCacheStatus.DISABLED,
  registerHooks: () => replaces(registerHooks),
  'registerHooks, imported': () => replaces(module.registerHooks),
  'process.dlopen': () => { try { dlopen({ exports: {} }, path); } catch (error) { return error.code === 'ERR_DLOPEN_FAILED' && 'EVIL' } },
}
console.log(await Promise.resolve().then(ways[process.argv[2]]).catch(codeOf))
process.exit(0)
`

const evil = `import { parentPort } from 'node:worker_threads'
if (parentPort) parentPort.postMessage('EVIL')
else if (process.send) process.send('EVIL')
else postMessage('EVIL')
`

const dist = lazy(async () => {
  const built = await buildProgram('rollup', {
    files: { 'src/server.js': `export const handler = () => {}\n` },
    entries: ['server'],
  })
  await writeFiles(join(built, '..'), { 'host.mjs': host, 'evil.mjs': evil })
  return built
})

const children = [
  'Worker',
  'required Worker',
  'a class of its own',
  'fork',
  'required fork',
  'cluster',
]

/** What of it is refused, or comes to nothing, by what. */
const refused: [runtimes: RegExp, way: string, said: RegExp][] = [
  ...children.map((way): [RegExp, string, RegExp] => [
    /./,
    way,
    /^(ERR_SIGNEDIMP_(UNLISTED|NOT_ENFORCEABLE)|ended 1)$/,
  ]),
  [/./, 'a base given back', /^TypeError/],
  [/deno/, 'global Worker', /^ERR_SIGNEDIMP_NOT_ENFORCEABLE$/],
  [/node (22|24|26)/, 'enableCompileCache', /^true$/],
  [/node (22|24|26)/, 'registerHooks, imported', /^ERR_SIGNEDIMP_NOT_ENFORCEABLE$/],
]

/** What nothing holds. */
const taken: [runtimes: RegExp, way: string][] = [
  [/bun/, 'global Worker'],
  [/node (22|24|26)|deno/, 'registerHooks'],
  [/deno/, 'registerHooks, imported'],
  [/node/, 'process.dlopen'],
]

for (const runtime of everyRuntime()) {
  for (const [runtimes, way, said] of refused)
    if (runtimes.test(runtime.name)) tries(runtime, way, said, 'runs nothing unsigned')
  for (const [runtimes, way] of taken)
    if (runtimes.test(runtime.name)) tries(runtime, way, /^EVIL$/, 'is not held')
}

function tries(runtime: Runtime, way: string, said: RegExp, what: string) {
  const title = `${runtime.name}: ${way}, taken before, ${what}`
  if (runtime.missing) return skip(test, title, runtime.missing)
  test(title, async () => {
    const { stdout, stderr } = run(runtime, join(await dist(), '../host.mjs'), way)
    assert.match(stdout.trim(), said, stderr)
  })
}

test.run()
