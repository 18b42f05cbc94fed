import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { scratchFolder } from './processes.ts'
import { runFile } from './run-file.ts'

const folder = scratchFolder()
const uvu = `import { test } from '${import.meta.resolve('uvu')}'\n`
const skipping = `import { skip } from '${import.meta.resolve('./skip.ts')}'\n`

/** Runs a test file with this text, and gives what the runner makes of it. */
async function outcomeOf(text: string, { timeoutMs = 60_000, env = {} } = {}) {
  const file = join(folder, `${Math.random().toString(36).slice(2)}.test.mjs`)
  writeFileSync(file, text)
  const { passed, failed, skipped, problem, notes } = await runFile(file, timeoutMs, {
    CI: '',
    ...env,
  })
  return { passed, failed, skipped, problem, notes: notes.map((note) => note.title) }
}

const clean = { passed: 0, failed: 0, skipped: 0, problem: undefined, notes: [] }

test('counts what passed and what failed', async () => {
  const text = `${uvu}test('a', () => {}); test('b', () => { throw new Error('no') }); test.run()`
  assert.equal(await outcomeOf(text), { ...clean, passed: 1, failed: 1 })
})

test('is not taken in by sums that a test prints', async () => {
  const sums = String.raw`\n  Total:     9\n  Passed:    9\n  Skipped:   0\n`
  const text = `${uvu}test('a', () => { console.log('${sums}'); throw new Error('no') }); test.run()`
  assert.equal(await outcomeOf(text), { ...clean, failed: 1 })
})

test('a file without a test fails', async () => {
  const problem = 'ran no test'
  assert.equal(await outcomeOf(`${uvu}test.run()`), { ...clean, failed: 1, problem })
})

test('a file that does not run its tests fails', async () => {
  const problem = 'ended with 0 before its tests were done'
  assert.equal(await outcomeOf(`${uvu}test('a', () => {})`), { ...clean, failed: 1, problem })
})

test('a file that leaves in the middle of a test fails', async () => {
  const problem = 'ended with 0 before its tests were done'
  const text = `${uvu}test('a', () => process.reallyExit(0)); test.run()`
  assert.equal(await outcomeOf(text), { ...clean, failed: 1, problem })
})

test('a file whose tests pass fails when it ends with an error', async () => {
  const problem = 'ended with 3 though no test failed'
  const text = `${uvu}test('a', () => {}); test.run(); process.on('exit', () => process.exit(3))`
  assert.equal(await outcomeOf(text), { ...clean, passed: 1, failed: 1, problem })
})

// uvu itself ends with 0 then.
test('tests that a failing hook kept from running fail', async () => {
  const text = `${uvu}test.before(() => { throw new Error('no') }); test('a', () => {}); test.run()`
  assert.equal(await outcomeOf(text), { ...clean, failed: 1 })
})

test('a skipped test is counted and named, and does not pass', async () => {
  const text = `${uvu}${skipping}skip(test, 'a', 'no b here'); test.run()`
  assert.equal(await outcomeOf(text), { ...clean, skipped: 1, notes: ['a'] })
})

test('a skipped test fails under CI', async () => {
  const text = `${uvu}${skipping}skip(test, 'a', 'no b here'); test.run()`
  assert.equal(await outcomeOf(text, { env: { CI: 'true' } }), { ...clean, failed: 1 })
})

test('a file that never ends is ended, deaf as it may be', async () => {
  const text = `${uvu}test('a', () => { for (;;) {} }); test.run()`
  const outcome = await outcomeOf(text, { timeoutMs: 1500 })
  assert.equal(outcome, { ...clean, failed: 1, problem: 'stopped after 1.5 s' })
})

if (process.platform === 'linux') {
  test('what a file leaves behind is ended, in another process group too', async () => {
    const file = join(folder, 'id')
    const start = `const { pid } = spawn('sleep', ['600'], { detached: true, stdio: 'inherit' })`
    const text = `${uvu}import { spawn } from 'node:child_process'\nimport { writeFileSync } from 'node:fs'
test('a', () => { ${start}; writeFileSync('${file}', String(pid)); process.exit(0) }); test.run()`
    assert.is((await outcomeOf(text)).failed, 1)
    assert.is(isRunning(Number(readFileSync(file, 'utf8'))), false)
  })
}

function isRunning(id: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${id}/status`, 'utf8'))
  } catch {
    return false
  }
}

test.run()
