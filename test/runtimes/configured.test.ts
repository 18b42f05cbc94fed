import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { writeFiles } from '../support/fixture.ts'
import { lazy } from '../support/readme-app.ts'
import { runtimes, type Runtime } from '../support/runtimes.ts'
import { buildProgram } from '../support/server-app.ts'
import { kindOf, nodeEntry, signProgram } from '../support/server-program.ts'
import { skip } from '../support/skip.ts'

// Deno and Bun read files by themselves that say what to load: of those, somebody writes one beside a signed program.

const [bun, deno] = ['bun', 'deno'].map((kind) => runtimes().find((one) => kindOf(one) === kind)!)

const program = lazy(async () => {
  const signed = await signProgram({ 'main.mjs': `console.log('started')\n` })
  const modules = ['fs', 'path', 'url', 'crypto', 'vm', 'os', 'process', 'module']
  const imports = Object.fromEntries(modules.map((name) => [`node:${name}`, './evil.mjs']))
  await writeFiles(signed.folder, {
    'evil.mjs': `console.log('EVIL')\n`,
    'deno.json': JSON.stringify({ imports: { ...imports, [`file://${nodeEntry}`]: './evil.mjs' } }),
    'bunfig.toml': `preload = ["./evil.mjs"]\n`,
  })
  return signed
})

const dist = lazy(async () => {
  const files = {
    'src/server.js': `import { sep } from 'node:path'\nconsole.log('started', sep.length)\n`,
  }
  const built = await buildProgram('rollup', { files, entries: ['server'] })
  await writeFiles(built, {
    'evil.mjs': `console.log('EVIL')\n`,
    'deno.json': `{"imports":{"node:fs":"./evil.mjs","node:path":"./evil.mjs","node:process":"./evil.mjs"}}`,
    'bunfig.toml': `preload = ["./evil.mjs"]\n`,
  })
  return built
})

async function start({ command: [binary, ...args] }: Runtime, flags: string[], file: string) {
  const { keyFile } = await program()
  const { PATH, HOME } = process.env
  const env = { PATH, HOME, NO_COLOR: '1', SIGNEDIMP_KEY: keyFile, SIGNEDIMP_NAME: 'shop' }
  const cwd = join(file, '..')
  return spawnSync(binary, [...args, ...flags, file], { cwd, env, encoding: 'utf8' })
}

const preloaded = async (runtime: Runtime, ...flags: string[]) => {
  const first =
    kindOf(runtime) === 'bun' ? ['--preload', nodeEntry] : ['--import', `file://${nodeEntry}`]
  return start(runtime, [...flags, ...first], join((await program()).folder, 'main.mjs'))
}

const built = async (runtime: Runtime, ...flags: string[]) =>
  start(runtime, flags, join(await dist(), 'server.js'))

function tries(runtime: Runtime, title: string, body: () => Promise<void>): void {
  if (runtime.missing) skip(test, title, runtime.missing)
  else test(title, body)
}

tries(deno!, 'Deno reads no deno.json beside a program, where it is told so', async () => {
  const { stdout, stderr } = await preloaded(deno!, '--no-config')
  assert.is(stdout, 'started\n', stderr)
})

// Why the documentation says to tell it so.
tries(deno!, 'a deno.json beside a program gives other code than this package', async () => {
  assert.match((await preloaded(deno!)).stdout, 'EVIL')
})

tries(deno!, 'a deno.json beside a bootstrap changes nothing', async () => {
  const { stdout, stderr } = await built(deno!)
  assert.is(stdout, 'started 1\n', stderr)
})

for (const [what, begin] of Object.entries({ 'a program': preloaded, 'a bootstrap': built })) {
  tries(bun!, `what a bunfig.toml loads before ${what} is refused`, async () => {
    const { status, stdout, stderr } = await begin(bun!)
    assert.is(status, 1)
    assert.not.match(stdout, 'started')
    assert.match(stderr, /^signedimp: ERR_SIGNEDIMP_UNLISTED .*evil\.mjs: loaded before the hooks/)
  })

  tries(bun!, `Bun reads no bunfig.toml beside ${what}, where it is told of another`, async () => {
    const { stdout, stderr } = await begin(bun!, '--config=/dev/null')
    assert.match(stdout, /^started/, stderr)
  })
}

test.run()
