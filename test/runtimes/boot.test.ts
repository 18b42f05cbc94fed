import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { writeFiles } from '../support/fixture.ts'
import { kindOf, nodeEntry, servers, signProgram } from '../support/server-program.ts'
import type { Runtime } from '../support/runtimes.ts'
import { skip } from '../support/skip.ts'

// A file that is loaded first, and registers what may be loaded. One that forgets it leaves nothing unchecked: nothing runs.

const from = JSON.stringify(pathToFileURL(nodeEntry).href)
const main = `console.log('started')\n`

async function write() {
  const program = await signProgram({ 'main.mjs': main, 'main.cjs': main, 'index.js': main })
  const folder = join(program.folder, '..')
  const options = { keys: [program.pem], name: 'shop', root: program.folder }
  await writeFiles(folder, {
    'boot.mjs': `import { register } from ${from}
register({ ...${JSON.stringify(options)}, allow: [import.meta.url] })\n`,
    'twice.mjs': `import { register } from ${from}
const options = { ...${JSON.stringify(options)}, allow: [import.meta.url] }
register(options)
register(options)
try { register({ ...options, nodeModules: 'unverified' }) } catch (error) { console.log(String(error)) }\n`,
    'forgets.mjs': `import { register } from ${from}\n`,
    'forgets.cjs': `require(${JSON.stringify(nodeEntry)})\n`,
    'with/bunfig.toml': `preload = [${JSON.stringify(nodeEntry)}]\n`,
  })
  return { program, folder }
}

const untold = /^signedimp: SIGNEDIMP_KEY .* must be set, .* or register\(\) be called\n$/

/** Starts a program with what a runtime loads first, and nothing in the environment. */
function start(runtime: Runtime, cwd: string, ...flags: string[]) {
  const [binary, ...args] = runtime.command
  const { PATH, HOME } = process.env
  const env = { PATH, HOME, NO_COLOR: '1', NODE_NO_WARNINGS: '1' }
  return spawnSync(binary, [...args, ...flags], { cwd, env, encoding: 'utf8', timeout: 60_000 })
}

function isRefused({ status, stdout, stderr }: ReturnType<typeof start>, what: string): void {
  assert.is(stdout, '', what)
  assert.is(status, 1, what)
  assert.match(stderr, untold, what)
}

for (const runtime of servers) {
  const kind = kindOf(runtime)
  const flag = kind === 'bun' ? '--preload' : '--import'
  const titles = [
    'what a file registers is checked',
    'a file that registers nothing starts nothing',
  ] as const
  if (runtime.missing) {
    for (const title of titles) skip(test, `${runtime.name}: ${title}`, runtime.missing)
    continue
  }

  test(`${runtime.name}: ${titles[0]}`, async () => {
    const { program, folder } = await write()
    for (const entry of ['main.mjs', 'main.cjs']) {
      const file = join(program.folder, entry)
      const { stdout, stderr } = start(runtime, folder, flag, './boot.mjs', file)
      assert.is(stdout, 'started\n', stderr)
      await writeFiles(program.folder, { [entry]: `console.log('EVIL')` })
      const changed = start(runtime, folder, flag, './boot.mjs', file)
      assert.is(changed.stdout, '')
      assert.match(changed.stderr, `ERR_SIGNEDIMP_CHANGED ${entry}`)
    }
  })

  test(`${runtime.name}: nothing else is registered later`, async () => {
    const { program, folder } = await write()
    const file = join(program.folder, 'main.mjs')
    const { stdout, stderr } = start(runtime, folder, flag, './twice.mjs', file)
    const said = 'TypeError: register: there are roots already; add others with addRoot()'
    assert.is(stdout, `${said}\nstarted\n`, stderr)
  })

  test(`${runtime.name}: ${titles[1]}`, async () => {
    const { program, folder } = await write()
    const entries = ['main.mjs', 'main.cjs'].map((entry) => join(program.folder, entry))
    for (const entry of [...entries, 'app/main.mjs'])
      isRefused(start(runtime, folder, flag, './forgets.mjs', entry), entry)
    // Here, the loader of CommonJS finds the program.
    if (kind === 'node')
      for (const entry of [...entries, program.folder, 'app/main'])
        isRefused(start(runtime, folder, '-r', './forgets.cjs', entry), entry)
    // No program at all, but this package was told nothing.
    const self = kind === 'bun' ? nodeEntry : pathToFileURL(nodeEntry).href
    if (kind !== 'deno') isRefused(start(runtime, folder, flag, self, '-e', main), 'a text')
    if (kind === 'bun') isRefused(start(runtime, join(folder, 'with'), entries[0]!), 'bunfig.toml')
  })
}

test.run()
