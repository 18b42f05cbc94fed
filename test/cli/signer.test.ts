import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { signedimp } from './run.ts'
import { appFolder } from './workplace.ts'

/** An app, and keys of OpenSSL's, whose commands sign. */
function workplace() {
  const cwd = appFolder()
  const openssl = (line: string) => execFileSync('openssl', line.split(' '), { cwd, stdio: 'pipe' })
  openssl('genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem')
  openssl('genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem')
  for (const name of ['rsa', 'ec']) openssl(`pkey -in ${name}.pem -pubout -out ${name}.pub`)
  const run = (key: string, command: string, ...flags: string[]) =>
    signedimp(['sign', 'dist', '--key', key, '--signer', command, '--name', 'shop', ...flags], {
      cwd,
    })
  return { cwd, run }
}

const pss = '-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest'
const commands: [key: string, command: string][] = [
  ['rsa.pub', `openssl dgst -sha256 ${pss} -sign rsa.pem -binary`],
  ['ec.pub', 'openssl dgst -sha256 -sign ec.pem -binary'],
]

for (const [key, command] of commands)
  test(`${command.split(' -sigopt')[0]} signs in the place of a key`, () => {
    const { cwd, run } = workplace()
    const { status, stderr } = run(key, command)
    assert.is(status, 0, stderr)
    assert.is(signedimp(['verify', 'dist', '--key', key], { cwd }).status, 0)
    const detached = run(key, command, '--detached', '--first', '--never-expires', '--out', 'a.sig')
    assert.is(detached.status, 0, detached.stderr)
    assert.is(signedimp(['attach', 'dist', 'a.sig', '--key', key], { cwd }).status, 0)
  })

test('a command that fails, gives something else, or is none is told, and nothing is written', () => {
  const { cwd, run } = workplace()
  writeFileSync(join(cwd, 'big'), Buffer.alloc(1 << 20))
  for (const [command, message] of [
    ['exit 3', '"--signer" names a command that ended with status 3'],
    ['echo no token >&2; exit 1', 'no token\n'],
    ['there-is-no-such-command', 'ended with status 127'],
    ['kill -9 $$', 'ended with SIGKILL'],
    ['cat big', 'gave more than 65536 bytes'],
    ['true', 'made a signature that its public half does not verify'],
    ['cat', 'made a signature that its public half does not verify'],
    [commands[1]![1], 'made a signature that its public half does not verify'],
  ]) {
    const { status, stderr } = run('rsa.pub', command!)
    assert.is(status, 2, stderr)
    assert.ok(stderr.includes(message!), stderr)
    assert.not.match(stderr, /^ +at /m)
    assert.not.ok(existsSync(join(cwd, 'dist/signedimp-manifest.txt')))
  }
  const { status, stderr } = run('rsa.pem', commands[0]![1])
  assert.is(status, 2)
  assert.match(stderr, 'private key')
})

test.run()
