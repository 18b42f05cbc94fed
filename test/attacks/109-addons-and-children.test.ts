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
  'an addon that nobody signed': {
    isReal: false,
    plant: { 'evil.node': 'no addon' },
    main: `try { require('./evil.node') } catch (error) { console.log(codeOf(error)) }
process.exit(0)`,
  },
})

attacks.run()
