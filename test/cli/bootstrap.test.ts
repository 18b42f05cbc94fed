import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { everyRuntime, evil, run as runProgram, tamper } from '../support/server-app.ts'
import { jsonOf, signedimp } from './run.ts'
import { addKey, signedApp } from './workplace.ts'

// `signedimp bootstrap`, and what it prints, run by the Node that runs the tests.

const trust = (...more: string[]) => ['bootstrap', '--key', 'a.key.pub', '--name', 'shop', ...more]
const [node] = everyRuntime()

/** A folder with a signed app of two modules, outside of which stands what starts it. */
async function createProgram(format: 'esm' | 'cjs', flags: string[] = []) {
  const { cwd, a } = await signedApp()
  const app = join(cwd, 'app')
  mkdirSync(app)
  writeFileSync(join(app, 'main.mjs'), `console.log('main', (await import('./lazy.mjs')).default)`)
  writeFileSync(join(app, 'lazy.mjs'), `export default 'lazy'`)
  writeFileSync(join(app, 'main.cjs'), `console.log('main', require('./lazy.cjs'))`)
  writeFileSync(join(app, 'lazy.cjs'), `module.exports = 'lazy'`)
  assert.is(signedimp(['sign', 'app', '--key', 'a.key', '--name', 'shop'], { cwd }).status, 0)
  const { stdout, stderr, status } = signedimp(trust('--format', format, ...flags), { cwd })
  assert.is(status, 0, stderr)
  const start = {
    esm: `import { start } from './signedimp.mjs'
await start(new URL('./app', import.meta.url)).import('main.mjs')`,
    cjs: `module.exports.start(__dirname + '/app').require('main.cjs')`,
  }
  // What is printed can be imported; of a script, it can also stand before what uses it.
  const file = join(cwd, format === 'esm' ? 'start.mjs' : 'start.cjs')
  writeFileSync(join(cwd, 'signedimp.mjs'), stdout)
  writeFileSync(file, `${format === 'cjs' ? stdout : ''}${start[format]}\n`)
  return { cwd, app, file, a, stdout }
}

for (const format of ['esm', 'cjs'] as const) {
  const [main, lazy] = format === 'esm' ? ['main.mjs', 'lazy.mjs'] : ['main.cjs', 'lazy.cjs']

  test(`${format}: the code has the key in it, and runs what was signed`, async () => {
    const { file, stdout, a } = await createProgram(format)
    assert.match(stdout, a)
    assert.match(stdout, format === 'esm' ? /\bexport\{\w+ as start\}/ : 'exports.start=')
    const ran = runProgram(node!, file)
    assert.is(ran.stdout, 'main lazy\n', ran.stderr)
    assert.is(ran.status, 0)
  })

  for (const [what, path, code] of [
    ['the first file', main, `ERR_SIGNEDIMP_CHANGED ${main}`],
    ['a later one', lazy, `ERR_SIGNEDIMP_CHANGED ${lazy}`],
    ['the manifest', 'signedimp-manifest.txt', 'ERR_SIGNEDIMP_SIGNATURE'],
  ] as const)
    test(`${format}: nothing changed runs: ${what}`, async () => {
      const { app, file } = await createProgram(format)
      tamper(join(app, path))
      const { status, stdout, stderr } = runProgram(node!, file)
      assert.not.match(stdout, evil)
      assert.match(stderr, code)
      assert.is(status, 1)
    })
}

test('a lower build is refused', async () => {
  const { file } = await createProgram('cjs', ['--build', '8'])
  assert.match(runProgram(node!, file).stderr, 'ERR_SIGNEDIMP_ROLLBACK')
})

test('--threshold needs as many signatures', async () => {
  const { cwd } = await signedApp()
  await addKey(cwd, 'c.key')
  const more = ['--key', 'c.key.pub', '--threshold', '2', '--json']
  const { format, code } = jsonOf(signedimp(trust(...more), { cwd }))
  assert.is(format, 'esm')
  assert.match(code, 'threshold:2')
})

for (const [what, args, message] of [
  ['no name', ['bootstrap', '--key', 'a.key.pub'], '--name is missing'],
  ['no key', ['bootstrap', '--name', 'shop'], '--key is missing'],
  ['a format that is none', trust('--format', 'iife'), '--format must be one of esm, cjs'],
  ['too high a threshold', trust('--threshold', '2'), '--threshold must be from 1 to 1'],
  ['a manifest in a folder', trust('--manifest', 'a/b.txt'), 'a file name without folders'],
] as const)
  test(`a mistake in the command line: ${what}`, async () => {
    const { cwd } = await signedApp()
    const { status, stderr } = signedimp([...args], { cwd })
    assert.is(status, 2)
    assert.match(stderr, message)
  })

test.run()
