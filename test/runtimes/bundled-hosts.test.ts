import { createPublicKey } from 'node:crypto'
import { copyFileSync, cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { loadSigner } from '../../src/keys/private.ts'
import { signDirectory } from '../../src/tree/sign.ts'
import { writeFiles } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import { lazy } from '../support/readme-app.ts'
import { buildProgram, everyRuntime, evil, run } from '../support/server-app.ts'

// Programs that something else imports, that were moved or mixed, and that load packages from outside.

const [node] = everyRuntime()
const esm = lazy(() => buildProgram('rollup'))
const cjs = lazy(() => buildProgram('rollup', { format: 'cjs' }))

/** Runs a module that imports a program of the folder beside it. */
async function runHost(dist: string, code: string) {
  const host = join(dist, '..', 'host.mjs')
  writeFileSync(host, code)
  return run(node!, host)
}

test('whoever imports an entry gets its exports, as they are when it has run', async () => {
  const { stdout, stderr } = await runHost(
    await esm(),
    `import load, { handler, count, add } from './dist/server.js'
console.log(handler('you '), count, add(), count, (await load()).default)`,
  )
  assert.match(stdout, 'hello you shared 0 1 0 later shared', stderr)
})

test('a script hands on the very object: bindings stay live, and imports know the names', async () => {
  const { stdout, stderr } = await runHost(
    await cjs(),
    `import { handler } from './dist/server.cjs'
import { createRequire } from 'node:module'
const server = createRequire(import.meta.url)('./dist/server.cjs')
console.log(handler('you '), server.count, server.add(), server.count)`,
  )
  assert.match(stdout, 'hello you shared 0 1 1', stderr)
})

test('several entries of an output run in one process', async () => {
  const { stdout, stderr } = await runHost(
    await esm(),
    `await import('./dist/admin.js'); await import('./dist/server.js')`,
  )
  assert.is(stdout, 'admin shared\nserver shared\nlazy later shared\n', stderr)
})

test('from then on, the process loads nothing else', async () => {
  const dist = await esm()
  writeFileSync(join(dist, '../other.mjs'), `console.log('${evil}')`)
  const { stdout, stderr } = await runHost(
    dist,
    `await import('./dist/server.js'); await import('./other.mjs')`,
  )
  assert.not.match(stdout, evil)
  assert.match(stderr, 'ERR_SIGNEDIMP_UNLISTED')
})

test('two programs do not run in one process', async () => {
  const folder = scratchFolder()
  cpSync(await esm(), join(folder, 'dist'), { recursive: true })
  cpSync(await esm(), join(folder, 'again'), { recursive: true })
  const { stderr } = await runHost(
    join(folder, 'dist'),
    `await import('./dist/admin.js'); await import('./again/admin.js')`,
  )
  assert.match(stderr, /ERR_SIGNEDIMP_(NOT_ENFORCEABLE|UNLISTED)/)
})

test('a folder runs wherever it is, and an entry only in its own place', async () => {
  const folder = scratchFolder()
  cpSync(await esm(), join(folder, 'moved'), { recursive: true })
  assert.is(run(node!, join(folder, 'moved/server.js')).status, 0)
  copyFileSync(join(folder, 'moved/server.js'), join(folder, 'moved/renamed.mjs'))
  const { status, stderr } = run(node!, join(folder, 'moved/renamed.mjs'))
  assert.is(status, 1)
  assert.match(stderr, 'ERR_SIGNEDIMP_NOT_ENFORCEABLE')
  assert.match(stderr, 'another place: it was built as server.js')
})

test('an entry runs with no lower build than its own, and with no other name', async () => {
  const older = await buildProgram('rollup', { signed: { build: 1 } })
  const newer = await buildProgram('rollup', { signed: { build: 2 } })
  const other = await buildProgram('rollup', { signed: { build: 2, name: 'other' } })
  copyFileSync(join(newer, 'server.js'), join(older, 'server.js'))
  assert.match(run(node!, join(older, 'server.js')).stderr, 'ERR_SIGNEDIMP_ROLLBACK')
  copyFileSync(join(newer, 'server.js'), join(other, 'server.js'))
  assert.match(run(node!, join(other, 'server.js')).stderr, 'ERR_SIGNEDIMP_NAME')
})

test('an entry that wants two signatures does not run with one', async () => {
  const second = await generateKey('ed25519')
  const signed = { keys: [createPublicKey(second)], threshold: 2 }
  const dist = await buildProgram('rollup', { signed })
  assert.match(run(node!, join(dist, 'server.js')).stderr, 'ERR_SIGNEDIMP_SIGNATURE')
  await signDirectory(dist, await loadSigner(second))
  const { status, stderr } = run(node!, join(dist, 'server.js'))
  assert.is(status, 0, stderr)
})

const outside = {
  'src/server.js': `import { word } from 'words'\nimport { sep } from 'node:path'\nconsole.log(word, sep.length)\n`,
  'node_modules/words/package.json': '{"name":"words","type":"module","exports":"./index.js"}',
  'node_modules/words/index.js': `export { word } from './word.js'\n`,
  'node_modules/words/word.js': `export const word = 'from outside'\n`,
}

test('a package that is named runs from node_modules, unchecked', async () => {
  const signed = { unverified: ['words'] }
  const program = { files: outside, entries: ['server'], external: ['words'], signed }
  const dist = await buildProgram('rollup', program)
  const { stdout, stderr } = run(node!, join(dist, 'server.js'))
  assert.is(stdout, 'from outside 1\n', stderr)
})

test('a package that nobody named does not run, even where code asks for it by a computed name', async () => {
  const code = `import(process.argv[2]).catch((error) => console.log(error.code))\n`
  const files = { ...outside, 'src/server.js': code }
  const dist = await buildProgram('rollup', { files, entries: ['server'] })
  const { stdout } = run(node!, join(dist, 'server.js'), 'words')
  assert.is(stdout, 'ERR_SIGNEDIMP_UNLISTED\n')
})

test('nothing is loaded before a program that a process is started with', async () => {
  const folder = scratchFolder()
  await writeFiles(folder, { 'pre.cjs': `console.log('before')` })
  const command = [node!.command[0], '--require', join(folder, 'pre.cjs')] as const
  const { status, stderr } = run({ ...node!, command }, join(await esm(), 'server.js'))
  assert.is(status, 1)
  assert.match(stderr, 'ERR_SIGNEDIMP_UNLISTED')
  assert.match(stderr, 'loaded before the hooks')
})

test.run()
