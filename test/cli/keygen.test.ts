import { createPrivateKey } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { scratchFolder } from '../support/processes.ts'
import { skip } from '../support/skip.ts'
import { hasTerminal, jsonOf, signedimp, signedimpInTerminal } from './run.ts'

const quick = ['--algorithm', 'ed25519']
const openKey = (file: string, passphrase?: string) =>
  createPrivateKey({ key: readFileSync(file), ...(passphrase && { passphrase }) })

test('a key is made, for its owner’s eyes only, with the password from the environment', () => {
  const cwd = scratchFolder()
  const env = { SIGNEDIMP_PASSWORD: 'pass word' }
  const { status, stdout, stderr } = signedimp(['keygen', 'release.key', ...quick], { cwd, env })
  assert.is(status, 0)
  assert.match(
    stdout,
    /^private +release\.key\npublic +release\.key\.pub\nscheme +ed25519\nfingerprint +[0-9a-f]{64}\n$/,
  )
  assert.match(stderr, 'Keep release.key to yourself')
  assert.is(statSync(join(cwd, 'release.key')).mode & 0o777, 0o600)
  assert.is(openKey(join(cwd, 'release.key'), 'pass word').asymmetricKeyType, 'ed25519')
  assert.match(readFileSync(join(cwd, 'release.key'), 'utf8'), 'ENCRYPTED')
})

test('the password may be in a file', () => {
  const cwd = scratchFolder()
  writeFileSync(join(cwd, 'pw'), 'from a file\n')
  const env = { SIGNEDIMP_PASSWORD_FILE: 'pw' }
  assert.is(signedimp(['keygen', 'k', ...quick], { cwd, env }).status, 0)
  assert.is(openKey(join(cwd, 'k'), 'from a file').type, 'private')
})

for (const [algorithm, scheme, type] of [
  ['rsa-pss', 'pss-sha256', 'rsa'],
  ['ed25519', 'ed25519', 'ed25519'],
  ['ecdsa-p256', 'ecdsa-p256-sha256', 'ec'],
] as const)
  test(`--json tells of a new ${algorithm} key, and nothing else is said`, () => {
    const cwd = scratchFolder()
    const result = signedimp(['keygen', 'k', '--algorithm', algorithm, '--no-password', '--json'], {
      cwd,
    })
    assert.is(result.status, 0)
    assert.is(result.stderr, '')
    const { fingerprint, ...rest } = jsonOf(result)
    assert.match(fingerprint, /^[0-9a-f]{64}$/)
    assert.equal(rest, { file: 'k', publicFile: 'k.pub', scheme, encrypted: false })
    assert.is(openKey(join(cwd, 'k')).asymmetricKeyType, type)
  })

test('without a password, a terminal or --no-password there is no key, and it is said what to do', () => {
  for (const env of [{}, { SIGNEDIMP_PASSWORD: '' }]) {
    const cwd = scratchFolder()
    const { status, stdout, stderr } = signedimp(['keygen', 'k', ...quick], { cwd, env })
    assert.is(status, 2)
    assert.is(stdout, '')
    assert.match(stderr, /ERR_SIGNEDIMP_PASSWORD .*SIGNEDIMP_PASSWORD.*--no-password/)
    assert.equal(readdirSync(cwd), [])
  }
})

test('no file is overwritten', () => {
  for (const name of ['k', 'k.pub']) {
    const cwd = scratchFolder()
    writeFileSync(join(cwd, name), 'mine')
    const { status, stderr } = signedimp(['keygen', 'k', '--no-password'], { cwd })
    assert.is(status, 2)
    assert.match(stderr, `${name}: exists already`)
    assert.equal(readdirSync(cwd), [name])
    assert.is(readFileSync(join(cwd, name), 'utf8'), 'mine')
  }
})

const questions = ['Password for the new key: ', 'The same again: '] as const
const keygenTyping = async (first: string, second: string) => {
  const cwd = scratchFolder()
  const result = await signedimpInTerminal(
    ['keygen', 'k', ...quick],
    [
      [questions[0], first],
      [questions[1], second],
    ],
    { cwd },
  )
  return { ...result, file: join(cwd, 'k') }
}

const inTerminal: [string, () => Promise<void>][] = [
  [
    'a terminal is asked twice, and does not show what is typed',
    async () => {
      const { status, shown, file } = await keygenTyping('s3crét\r', 's3crét\r')
      assert.is(status, 0, shown)
      for (const question of questions) assert.ok(shown.includes(question))
      assert.not.match(shown, 's3cr')
      assert.is(openKey(file, 's3crét').asymmetricKeyType, 'ed25519')
    },
  ],
  [
    'a terminal can correct what it types, and type ahead',
    async () => {
      const { status, shown, file } = await keygenTyping('abX\x7fc\rabc\r', '')
      assert.is(status, 0, shown)
      assert.is(openKey(file, 'abc').type, 'private')
    },
  ],
  [
    'two passwords that differ, none at all, and an interrupt make no key',
    async () => {
      for (const [first, second, message] of [
        ['one\r', 'two\r', 'not the same'],
        ['\r', '\r', 'the password is empty'],
        ['half\x03', '', 'no password was given'],
        ['\x04', '', 'no password was given'],
      ] as const) {
        const { status, shown, file } = await keygenTyping(first, second)
        assert.is(status, 2, shown)
        assert.match(shown, message)
        assert.not.ok(existsSync(file))
      }
    },
  ],
  [
    'a terminal that has a password in its environment is not asked',
    async () => {
      const cwd = scratchFolder()
      const env = { SIGNEDIMP_PASSWORD: 'env' }
      const { status, shown } = await signedimpInTerminal(['keygen', 'k', ...quick], [], {
        cwd,
        env,
      })
      assert.is(status, 0, shown)
      assert.not.match(shown, 'Password')
    },
  ],
]

for (const [title, work] of inTerminal)
  if (hasTerminal) test(title, work)
  else skip(test, title, 'there is no script command of util-linux')

test.run()
