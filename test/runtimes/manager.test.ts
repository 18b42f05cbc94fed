import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { SignedImportManager } from '../../src/hooks/manager.ts'
import type { ImportManager } from '../../src/manifest/manager-options.ts'
import { root } from '../support/files.ts'
import { scratchFolder } from '../support/processes.ts'
import type { Runtime } from '../support/runtimes.ts'
import { nodeEntry, reportOf, runProgram, servers, signProgram } from '../support/server-program.ts'
import { skip } from '../support/skip.ts'

// The manager of servers: its interface is the page's, and it loads what its roots list, whenever these come.

const { SignedImportManager: PageManager } = (await import(
  join(root, 'dist/runtime.js')
)) as typeof import('../../src/runtime.ts')

/** The methods of {@link ImportManager}: a type has no list of them. */
const methods: Record<keyof ImportManager, true> = {
  install: true,
  addKey: true,
  addRoot: true,
  remove: true,
  import: true,
  verify: true,
}

for (const [where, Manager] of Object.entries({ page: PageManager, server: SignedImportManager }))
  test(`the manager of a ${where} has the methods that both have, and takes no unknown option`, () => {
    const manager = new Manager({ name: 'shop' }) as unknown as Record<string, unknown>
    for (const name of Object.keys(methods)) assert.type(manager[name], 'function', name)
    assert.throws(
      () => new Manager({ none: 1 } as object),
      (error: Error) => error instanceof TypeError && /"none" is no option/.test(error.message),
    )
  })

const say = `const codeOf = (error) => /ERR_SIGNEDIMP_\\w+/.exec(error?.code + ' ' + error?.message)?.[0] ?? error?.name
const report = {}
const note = async (name, work) => { report[name] = await Promise.resolve().then(work).catch(codeOf) }
`

async function scenario() {
  const first = await signProgram({ 'main.mjs': `export const word = 'first'`, 'late.mjs': '1' })
  const other = await signProgram({ 'main.mjs': `export const word = 'other'`, 'late.mjs': '1' })
  writeFileSync(join(other.folder, 'planted.mjs'), `globalThis.EVIL = true`)
  const text = `import { SignedImportManager } from ${JSON.stringify(pathToFileURL(nodeEntry).href)}
${say}
const [first, other] = ${JSON.stringify([first.folder, other.folder])}
const manager = new SignedImportManager({ keys: [${JSON.stringify(first.pem)}], name: 'shop', allow: [process.argv[1]] })
await note('too early', () => manager.addRoot(first))
manager.install()
await note('nothing yet', () => import(first + '/main.mjs?before'))
await note('added', async () => { await manager.addRoot(first); return (await manager.import(first + '/main.mjs')).word })
await note('other key', () => manager.addRoot(other))
await note('own key', async () => { await manager.addRoot(other, { keys: [${JSON.stringify(other.pem)}] }); return (await manager.import(other + '/main.mjs')).word })
await note('twice', () => manager.addRoot(other, { keys: [${JSON.stringify(other.pem)}] }))
await note('unlisted', () => manager.import(other + '/planted.mjs'))
await note('verified', async () => (await manager.verify(first + '/late.mjs', new TextEncoder().encode('1'))) ?? 'fine')
await note('other bytes', () => manager.verify(first + '/late.mjs', new TextEncoder().encode('2')))
await note('unlisted bytes', () => manager.verify(other + '/planted.mjs', new TextEncoder().encode('1')))
await note('another manager', () => new SignedImportManager({ name: 'shop' }).install() && 'installed')
report.removed = manager.remove(other)
await note('gone', () => manager.import(other + '/late.mjs'))
await note('gone for import()', () => import(other + '/late.mjs'))
console.log(JSON.stringify(report))
process.exit(0)
`
  const folder = scratchFolder()
  writeFileSync(join(folder, 'main.mjs'), text)
  return { ...first, folder }
}

const expected = {
  'too early': 'TypeError',
  'nothing yet': 'ERR_SIGNEDIMP_UNLISTED',
  added: 'first',
  'other key': 'ERR_SIGNEDIMP_SIGNATURE',
  'own key': 'other',
  twice: 'TypeError',
  unlisted: 'ERR_SIGNEDIMP_UNLISTED',
  verified: 'fine',
  'other bytes': 'ERR_SIGNEDIMP_CHANGED',
  'unlisted bytes': 'ERR_SIGNEDIMP_UNLISTED',
  'another manager': 'TypeError',
  removed: true,
  gone: 'ERR_SIGNEDIMP_UNLISTED',
  'gone for import()': 'ERR_SIGNEDIMP_UNLISTED',
}

for (const runtime of servers) {
  const title = `${runtime.name}: roots are added, and taken away`
  if (runtime.missing) skip(test, title, runtime.missing)
  else
    test(title, async () => {
      const report = reportOf(runProgram(runtime, await scenario(), { isPlain: true }))
      assert.equal(report, expected)
    })
}

// A pool of threads, under load, while somebody replaces what they load.

const pool = `import { Worker } from 'node:worker_threads'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
const task = new URL('task.mjs', import.meta.url), honest = readFileSync(task, 'utf8')
let turn = 0
const attack = setInterval(() => {
  writeFileSync(new URL('next.tmp', import.meta.url), turn++ % 2 ? honest : honest.replace('signed', 'EVIL!!'))
  renameSync(new URL('next.tmp', import.meta.url), task)
}, 3)
const run = () => new Promise((settle) => {
  const worker = new Worker(new URL('worker.mjs', import.meta.url))
  worker.once('message', settle).once('error', (error) => settle(error.code))
})
const seen = {}
const lane = async () => { for (let left = 4; left > 0; left--) { const word = await run(); seen[word] = (seen[word] ?? 0) + 1 } }
await Promise.all([lane(), lane(), lane()])
clearInterval(attack)
console.log(JSON.stringify(seen))
process.exit(0)
`
const worker = `import { parentPort } from 'node:worker_threads'
let word
for (let left = 10; left > 0; left--)
  await import('./task.mjs?' + left).then((task) => { word = task.word }, (error) => { word = error.code })
parentPort.postMessage(word)
`

/** Deno starts no threads. */
const withThreads = (runtime: Runtime) => !/deno/.test(runtime.name)

for (const runtime of servers.filter(withThreads)) {
  const title = `${runtime.name}: what a pool of threads loads is replaced all the time, and runs only as it was signed`
  if (runtime.missing) skip(test, title, runtime.missing)
  else
    test(title, async () => {
      const files = {
        'main.mjs': pool,
        'worker.mjs': worker,
        'task.mjs': `export const word = 'signed'\n`,
      }
      const seen = reportOf(runProgram(runtime, await signProgram(files)))
      const total = Object.values(seen).reduce((sum, count) => sum + Number(count), 0)
      assert.is(total, 12)
      assert.equal(
        Object.keys(seen).filter((word) => !['signed', 'ERR_SIGNEDIMP_CHANGED'].includes(word)),
        [],
      )
    })
}

test.run()
