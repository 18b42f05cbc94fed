import { spawnSync } from 'node:child_process'
import { appendFileSync, copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createPublicKey } from 'node:crypto'
import { root } from '../support/files.ts'
import { writeFiles } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import { runtimes, runtimesFolder } from '../support/runtimes.ts'
import { evil, key, tamper } from '../support/server-app.ts'
import { notSelected, skip } from '../support/skip.ts'

// The recipes of docs/frozen.md, run: executables with the public key in them, and chunks beside them.

const app = {
  'main.js': `import { dep } from './dep.js'
console.log('main', dep)
import('./lazy.js').then(
  (lazy) => console.log(lazy.default),
  (error) => console.log('refused', /ERR_SIGNEDIMP_\\w+/.exec([error.code, error.message].join(' '))[0]),
)
`,
  'dep.js': `export const dep = 'dep'\n`,
  'lazy.js': `export default 'lazy'\n`,
}

const start = {
  cjs: `const { dirname, join } = require('node:path')
module.exports.start(join(dirname(process.execPath), 'app')).import('main.js')
`,
  esm: `import { dirname, join } from 'node:path'
import { start } from './signedimp.js'
await start(join(dirname(process.execPath), 'app')).import('main.js')
`,
  deno: `import { start } from './signedimp.js'
await start(new URL('./app', import.meta.url)).import('main.js')
`,
}

const cli = join(root, 'dist/cli.js')

type Command = readonly [program: string, ...args: string[]]

/** Runs a program that must end well, and gives what it printed. */
function succeed(
  program: string,
  args: string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    env: { ...plain(), ...env },
    encoding: 'utf8',
    timeout: 120_000,
    maxBuffer: 1 << 26,
  })
  assert.is(status, 0, `${error ?? ''}${stdout}${stderr}`)
  return stdout
}

function plain(): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env
  return { PATH, HOME, TMPDIR, NO_COLOR: '1' }
}

/** A folder with a signed app in `app`, and the code that starts it. */
async function createFrozen(): Promise<string> {
  const folder = scratchFolder()
  await writeFiles(join(folder, 'app'), app)
  writeFileSync(join(folder, 'key.pem'), key.export({ type: 'pkcs8', format: 'pem' }))
  const pem = createPublicKey(key).export({ type: 'spki', format: 'pem' })
  writeFileSync(join(folder, 'key.pem.pub'), pem)
  const node = (...args: string[]) => succeed(process.execPath, [cli, ...args], folder)
  node('sign', 'app', '--key', 'key.pem', '--name', 'shop')
  const trust = ['bootstrap', '--key', 'key.pem.pub', '--name', 'shop']
  writeFileSync(join(folder, 'signedimp.js'), node(...trust))
  writeFileSync(join(folder, 'main.cjs'), node(...trust, '--format', 'cjs'))
  appendFileSync(join(folder, 'main.cjs'), start.cjs)
  writeFileSync(join(folder, 'main.js'), start.esm)
  return folder
}

const runFrozen = ([program, ...args]: Command, env: NodeJS.ProcessEnv = {}) =>
  spawnSync(program, args, { env: { ...plain(), ...env }, encoding: 'utf8', timeout: 60_000 })

/** Starts an executable with its app as it was signed, and with each file of that changed in turn. */
function checkFrozen(folder: string, program: Command): void {
  const { stdout, stderr, status } = runFrozen(program)
  assert.is(stdout, 'main dep\nlazy\n', stderr)
  assert.is(status, 0)
  for (const [file, code] of [
    ['main.js', 'ERR_SIGNEDIMP_CHANGED main.js'],
    ['dep.js', 'ERR_SIGNEDIMP_CHANGED dep.js'],
    ['lazy.js', ''],
    ['signedimp-manifest.txt', 'ERR_SIGNEDIMP_SIGNATURE'],
  ] as const) {
    const restore = tamper(join(folder, 'app', file))
    const ran = runFrozen(program)
    restore()
    assert.not.match(ran.stdout, evil, file)
    assert.match(ran.stderr, code, file)
    assert.is(ran.status, code === '' ? 0 : 1, file)
    if (code === '') assert.is(ran.stdout, 'main dep\nrefused ERR_SIGNEDIMP_CHANGED\n')
  }
}

const find = (name: string) => runtimes().find((runtime) => runtime.name.startsWith(name))!
const installed = (path: string) => join(runtimesFolder, 'node_modules', path)

/** Registers a test that a runtime is needed for, and a package of the runtimes' folder. */
function frozen(
  title: string,
  runtime: string,
  needed: string | undefined,
  check: (program: string) => Promise<void>,
) {
  const { command, missing } = find(runtime)
  const lacks = needed && !existsSync(installed(needed)) ? `${needed} is not installed` : undefined
  const why = missing ?? lacks
  if (why) skip(test, title, why)
  else test(title, () => check(command[0]))
}

const sea = (output: string) =>
  JSON.stringify({
    main: 'main.cjs',
    output,
    disableExperimentalSEAWarning: true,
    execArgvExtension: 'none',
  })

/** What is loaded before an executable starts would not have been checked. */
function checkPreload(folder: string, program: Command): void {
  writeFileSync(join(folder, 'pre.cjs'), `console.log('${evil}')`)
  const ran = runFrozen(program, { NODE_OPTIONS: `--require ${join(folder, 'pre.cjs')}` })
  assert.is(ran.stdout, '')
  assert.match(ran.stderr, /^signedimp: ERR_SIGNEDIMP_UNLISTED .*pre\.cjs: loaded before the hooks/)
}

frozen('Node 26: a single executable runs what was signed', 'node 26', undefined, async (node) => {
  const folder = await createFrozen()
  writeFileSync(join(folder, 'sea.json'), sea('shop'))
  succeed(node, ['--build-sea', 'sea.json'], folder)
  checkFrozen(folder, [join(folder, 'shop')])
  checkPreload(folder, [join(folder, 'shop')])
})

frozen('Node 24: a single executable runs what was signed', 'node 24', 'postject', async (node) => {
  const folder = await createFrozen()
  writeFileSync(join(folder, 'sea.json'), sea('shop.blob'))
  succeed(node, ['--experimental-sea-config', 'sea.json'], folder)
  copyFileSync(node, join(folder, 'shop'))
  const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'
  const postject = [installed('postject/dist/cli.js'), 'shop', 'NODE_SEA_BLOB', 'shop.blob']
  succeed(process.execPath, [...postject, '--sentinel-fuse', fuse], folder)
  checkFrozen(folder, [join(folder, 'shop')])
  checkPreload(folder, [join(folder, 'shop')])
})

frozen('Bun: a compiled executable runs what was signed', 'bun', undefined, async (bun) => {
  const folder = await createFrozen()
  succeed(bun, ['build', '--compile', 'main.js', '--outfile', 'shop'], folder)
  checkFrozen(folder, [join(folder, 'shop')])
})

// It compiles with another program of its own, which it fetches, and which is on no registry.
const { DENORT_BIN } = process.env
if (DENORT_BIN)
  frozen('Deno: a compiled executable runs what was signed', 'deno', undefined, async (deno) => {
    const folder = await createFrozen()
    const compile = ['compile', '--allow-read', '--allow-env', '--output', 'shop', 'main.js']
    succeed(deno, compile, folder, { DENORT_BIN })
    checkFrozen(folder, [join(folder, 'shop')])
  })
else notSelected('Deno: a compiled executable runs what was signed', 'DENORT_BIN names no denort')

frozen('Deno: the printed code checks what it loads', 'deno', undefined, async (deno) => {
  const folder = await createFrozen()
  writeFileSync(join(folder, 'main.js'), start.deno)
  checkFrozen(folder, [deno, 'run', '--allow-read', '--allow-env', join(folder, 'main.js')])
})

frozen(
  'asar: an archive that is unpacked is verified',
  'node 22',
  '@electron/asar',
  async (node) => {
    const folder = await createFrozen()
    const asar = (...args: string[]) =>
      succeed(node, [installed('@electron/asar/bin/asar.js'), ...args], folder)
    const verify = () =>
      spawnSync(
        process.execPath,
        [cli, 'verify', 'unpacked', '--key', 'key.pem.pub', '--name', 'shop'],
        {
          cwd: folder,
          encoding: 'utf8',
        },
      )
    asar('pack', 'app', 'app.asar')
    asar('extract', 'app.asar', 'unpacked')
    assert.is(verify().status, 0)
    const archive = join(folder, 'app.asar')
    const bytes = readFileSync(archive)
    bytes[bytes.indexOf("export default 'lazy'")]! ^= 1
    writeFileSync(archive, bytes)
    asar('extract', 'app.asar', 'unpacked')
    const { status, stderr } = verify()
    assert.is(status, 1)
    assert.match(stderr, 'lazy.js')
  },
)

test.run()
