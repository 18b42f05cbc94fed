import { attacks } from '../support/attack.ts'
import { attackServers } from '../support/server-attack.ts'

// What loader hooks do not see by themselves: addons pass them by, threads and children start without any.

const answers = `(child) => new Promise((settle) => {
  child.on('message', settle).on('error', (error) => settle(codeOf(error))).on('exit', (status) => settle('ended ' + status))
})`
const evil = {
  'evil-child.mjs': `import { parentPort } from 'node:worker_threads'
console.log('EVIL')
if (parentPort) parentPort.postMessage('EVIL')
else process.send('EVIL')
process.disconnect?.()
`,
}
const evilFile = `new URL('evil.cjs', import.meta.url).pathname`
const withWorker = (work: string) =>
  `const { Worker, SHARE_ENV } = await import('node:worker_threads')\n${tries(work)}`
const withFork = (work: string) => `const { fork, spawn } = await import('node:child_process')
const file = (name) => new URL(name, import.meta.url).pathname
process.chdir(file('.'))
${tries(work)}`
/** What is signed, and starts as a thread and as a child. */
const honest = {
  'child.mjs': `import { parentPort } from 'node:worker_threads'
if (parentPort) parentPort.postMessage('good')
else process.send('good')
process.disconnect?.()
`,
}
const tries = (work: string) => `const answer = ${answers}
try { console.log(await answer(${work})) } catch (error) { console.log(codeOf(error)) }
process.exit(0)`

attackServers(109, 'addons, threads and children', {
  'a worker thread': {
    plant: evil,
    main: `const { Worker } = await import('node:worker_threads')
${tries(`new Worker(new URL('evil-child.mjs', import.meta.url))`)}`,
  },
  'a worker thread with flags and an environment of its own': {
    runtimes: /node|bun/,
    plant: evil,
    main: `const { Worker } = await import('node:worker_threads')
${tries(`new Worker(new URL('evil-child.mjs', import.meta.url), { execArgv: [], env: {} })`)}`,
  },
  'a subclass of Worker': {
    runtimes: /node/,
    plant: evil,
    main: `const { Worker } = await import('node:worker_threads')
class Own extends Worker {}
${tries(`new Own(new URL('evil-child.mjs', import.meta.url))`)}`,
  },
  'a forked child': {
    plant: evil,
    main: `const { fork } = await import('node:child_process')
const { fileURLToPath } = await import('node:url')
${tries(`fork(fileURLToPath(new URL('evil-child.mjs', import.meta.url)), [], { execArgv: [], env: {} })`)}`,
  },
  'a worker thread, by what workers say they were made by': {
    plant: evil,
    main: withWorker(
      `new Worker.prototype.constructor(new URL('evil-child.mjs', import.meta.url))`,
    ),
  },
  'a worker thread with a flag that loads something before it': {
    runtimes: /node/,
    files: honest,
    main: withWorker(
      `new Worker(new URL('child.mjs', import.meta.url), { execArgv: ['-r', ${evilFile}] })`,
    ),
  },
  'a worker thread with a variable that loads something before it': {
    runtimes: /node/,
    files: honest,
    main: withWorker(
      `new Worker(new URL('child.mjs', import.meta.url), { env: { NODE_OPTIONS: '--require=' + ${evilFile} } })`,
    ),
  },
  'a worker thread, after a variable was set': {
    runtimes: /node/,
    files: honest,
    main: `process.env.NODE_OPTIONS = '--no-warnings -r "' + ${evilFile} + '"'
${withWorker(`new Worker(new URL('child.mjs', import.meta.url), { env: SHARE_ENV, execArgv: [] })`)}`,
  },
  'a forked child with a flag that loads something before it': {
    runtimes: /node|bun/,
    files: honest,
    main: withFork(`fork(file('child.mjs'), [], { execArgv: ['-r', ${evilFile}] })`),
  },
  'a forked child with a variable that loads something before it': {
    runtimes: /node|bun/,
    files: honest,
    main: withFork(
      `fork(file('child.mjs'), { env: { ['Bun' in globalThis ? 'BUN_OPTIONS' : 'NODE_OPTIONS']: '--require ' + ${evilFile} } })`,
    ),
  },
  'a forked child with a file of variables': {
    runtimes: /node/,
    files: honest,
    plant: { '.env': 'NODE_OPTIONS=--require ./evil.cjs\n' },
    main: withFork(`fork(file('child.mjs'), [], { execArgv: ['--env-file', '.env'] })`),
  },
  'a spawned child with a channel': {
    runtimes: /node|bun/,
    plant: evil,
    main: withFork(
      `spawn(process.execPath, [file('evil-child.mjs')], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })`,
    ),
  },
  'a worker of a cluster': {
    plant: evil,
    main: `const { default: cluster } = await import('node:cluster')
cluster.setupPrimary({ exec: new URL('evil-child.mjs', import.meta.url).pathname })
${tries('cluster.fork()')}`,
  },
  'an addon that nobody signed': {
    isReal: false,
    plant: { 'evil.node': 'no addon' },
    main: `try { require('./evil.node') } catch (error) { console.log(codeOf(error)) }
process.exit(0)`,
  },
})

attacks.run()
