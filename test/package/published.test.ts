import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { root } from '../support/files.ts'
import { writeFiles } from '../support/fixture.ts'
import { install, pack, type Packed } from './packed.ts'

// The tarball, as those who look after packages see it, and as it runs where it is installed.

const packed = pack()

/** Runs the program of a package of ours on a tarball. */
function judge(program: string, args: string[], { file }: Packed) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'node_modules', program), ...args, file],
    { encoding: 'utf8', cwd: join(file, '..'), env: { ...process.env, NO_COLOR: '1' } },
  )
  return { status, said: stdout + stderr }
}

const publint = (tarball: Packed) =>
  judge('publint/src/cli.js', ['run', '--strict', '--level', 'suggestion'], tarball)

// There is no CommonJS in it, and resolution as before Node 12 knows no exports.
const attw = (tarball: Packed) =>
  judge('@arethetypeswrong/cli/dist/index.js', ['--profile', 'esm-only'], tarball)

test('publint has nothing to say of the package', () => {
  const { status, said } = publint(packed)
  assert.is(status, 0, said)
  assert.match(said, 'All good!')
})

test('the types are not wrong', () => {
  const { status, said } = attw(packed)
  assert.is(status, 0, said)
  for (const entry of ['signedimp/esbuild', 'signedimp/errors']) assert.match(said, entry)
})

test('both would say so if the declarations were missing', () => {
  const broken = join(install(packed, []), 'node_modules/signedimp')
  rmSync(join(broken, 'dist/index.d.ts'))
  const tarball = pack(broken)
  assert.is(publint(tarball).status, 1)
  assert.is(attw(tarball).status, 1)
})

test('what is installed runs: the command, and all entry points', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const folder = install(packed, Object.keys(dependencies))
  const run = (...args: string[]) =>
    execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  const help = run('node_modules/signedimp/dist/cli.js', '--help')
  for (const command of ['keygen', 'sign', 'seal', 'html', 'verify', 'show', 'bootstrap'])
    assert.match(help, new RegExp(`^ +${command} `, 'm'))
  const program = `import plugin from 'signedimp'
import other from 'signedimp/esbuild'
import { SignedImpError } from 'signedimp/errors'
console.log(plugin().name, other().name, SignedImpError.name)`
  assert.is(run('--input-type=module', '-e', program), 'signedimp signedimp SignedImpError\n')
})

test('what is installed checks a program that it is loaded before', async () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const folder = install(packed, Object.keys(dependencies))
  await writeFiles(folder, { 'app/server.mjs': "console.log('runs')\n" })
  const run = (args: string[], env = {}) =>
    spawnSync(process.execPath, args, {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, ...env },
    })
  const cli = 'node_modules/signedimp/dist/cli.js'
  run([cli, 'keygen', 'release.pem', '--no-password'])
  run([cli, 'sign', 'app', '--key', 'release.pem', '--name', 'shop'])
  const env = { SIGNEDIMP_KEY: join(folder, 'release.pem.pub'), SIGNEDIMP_NAME: 'shop' }
  const start = () => run(['--import', 'signedimp/node', 'app/server.mjs'], env)
  assert.is(start().stdout, 'runs\n')
  await writeFiles(folder, { 'app/server.mjs': "console.log('evil')\n" })
  const { status, stdout, stderr } = start()
  assert.equal([status, stdout], [1, ''])
  assert.match(stderr, /^signedimp: ERR_SIGNEDIMP_CHANGED server\.mjs: [^\n]+\n$/)
})

test.run()
