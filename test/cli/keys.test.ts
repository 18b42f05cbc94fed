import { createPrivateKey } from 'node:crypto'
import {
  copyFileSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { numbersOf, pythonFingerprint } from '../../src/keys/numbers.ts'
import { toTrustedKey } from '../../src/keys/public.ts'
import { saveKey } from '../../src/keys/save.ts'
import { scratchFolder } from '../support/processes.ts'
import { skip } from '../support/skip.ts'
import { hasTerminal, jsonOf, signedimp, signedimpInTerminal } from './run.ts'
import { addKey } from './workplace.ts'

const old = { SIGNEDIMP_PASSWORD: 'old one' }
const both = { ...old, SIGNEDIMP_NEW_PASSWORD: 'new one' }

/** A folder with an encrypted key, and the command line in it. */
async function workplace(password: string | null = 'old one') {
  const cwd = scratchFolder()
  const fingerprint = await addKey(cwd, 'k', password)
  const keys = (args: string, env: Record<string, string> = {}) =>
    signedimp(['keys', ...args.split(' ')], { cwd, env })
  return { cwd, fingerprint, keys, file: join(cwd, 'k') }
}

const opens = (file: string, passphrase?: string) =>
  createPrivateKey({ key: readFileSync(file), ...(passphrase && { passphrase }) }).type

// keys show
test('a key file is shown, and nothing secret of it', async () => {
  const { cwd, fingerprint, keys, file } = await workplace()
  const { status, stdout, stderr } = keys('show k', old)
  assert.is(status, 0, stderr)
  assert.equal(stdout.split('\n'), [
    'private      k',
    'form         PKCS#8 in PEM',
    'encryption   scrypt, N = 16384, r = 8',
    'scheme       ed25519',
    `fingerprint  ${fingerprint}`,
    '',
  ])
  const { d } = createPrivateKey({
    key: readFileSync(file),
    passphrase: 'old one',
  }).export({ format: 'jwk' })
  assert.not.match(stdout + stderr, d!)
  assert.match(keys('show k.pub').stdout, /^public +k\.pub\nform +SubjectPublicKeyInfo in PEM\n/)
  assert.equal(readdirSync(cwd).sort(), ['k', 'k.pub'])
})

test('--json says the same, and nothing else is said', async () => {
  const { fingerprint, keys } = await workplace(null)
  const result = keys('show k --json')
  assert.is(result.stderr, '')
  assert.equal(jsonOf(result), {
    file: 'k',
    half: 'private',
    form: 'PKCS#8 in PEM',
    scheme: 'ed25519',
    fingerprint,
  })
})

test('the public numbers of RSA are shown as Python does, of either half, and the private one never', async () => {
  const { cwd, keys } = await workplace()
  const key = await generateKey()
  await saveKey(key, join(cwd, 'rsa'), { password: null })
  const { n, e, d } = numbersOf(key)
  for (const file of ['rsa', 'rsa.pub']) {
    const { status, stdout, stderr } = keys(`show ${file} --format python`)
    assert.is(status, 0, stderr)
    assert.is(stdout, `RSAKey(${n},${e})\n`)
    assert.is(stderr, `Python's signedimp calls it ${pythonFingerprint({ n, e })}.\n`)
  }
  const data = jsonOf(keys('show rsa --format python --json'))
  assert.equal(data, { n: `${n}`, e: `${e}`, fingerprint: pythonFingerprint({ n, e }) })
  assert.not.match(JSON.stringify(data), `${d}`)
  const other = keys('show k.pub --format python')
  assert.is(other.status, 2)
  assert.match(other.stderr, 'only keys of RSA')
})

test('what cannot be shown is said in a word, and a key in the place of its file is not repeated', async () => {
  const { cwd, keys, file } = await workplace()
  for (const env of [{}, { SIGNEDIMP_PASSWORD: 'hunter2' }]) {
    const { status, stdout, stderr } = keys('show k', env)
    assert.is(status, 2)
    assert.is(stdout, '')
    assert.match(stderr, 'ERR_SIGNEDIMP_PASSWORD k:')
    assert.not.match(stderr, 'hunter2')
  }
  assert.match(keys('show nowhere').stderr, 'cannot be read')
  const text = readFileSync(file, 'utf8')
  const line = text.split('\n')[2]!
  for (const key of [text, text.replaceAll('\n', '\\n'), btoa(text), `x\n${text}`])
    for (const args of [
      ['show', key],
      ['show', '--', key],
      ['convert', key, 'new'],
      ['password', key],
    ]) {
      const { status, stdout, stderr } = signedimp(['keys', ...args], { cwd })
      assert.is(status, 2)
      for (const secret of [line, btoa(line).slice(8, 40)])
        assert.not.ok((stdout + stderr).includes(secret), stderr)
    }
})

test('keys alone, or with another word, is no command', async () => {
  const { keys } = await workplace()
  for (const args of ['', 'list', 'foo show'])
    assert.match(keys(args).stderr, /"keys.*" is no command: give one of .*keys show, keys convert/)
  const { status, stdout } = keys('show --help')
  assert.is(status, 0)
  assert.match(stdout, 'USAGE signedimp keys show [OPTIONS] <FILE>')
})

// keys convert
test('a key keeps its password in another file, for its owner only', async () => {
  const { cwd, fingerprint, keys } = await workplace()
  const { status, stdout, stderr } = keys('convert k k.der --to der --kdf pbkdf2', old)
  assert.is(status, 0, stderr)
  assert.is(stdout, `private      k.der\nscheme       ed25519\nfingerprint  ${fingerprint}\n`)
  assert.is(stderr, '')
  assert.is(statSync(join(cwd, 'k.der')).mode & 0o777, 0o600)
  assert.match(keys('show k.der', old).stdout, 'PBKDF2 with 600000 rounds')
  assert.is(keys('show k.der', { SIGNEDIMP_PASSWORD: 'other' }).status, 2)
})

test('a key without a password gets one, or is told to have none', async () => {
  const { cwd, keys } = await workplace(null)
  const none = keys('convert k a')
  assert.is(none.status, 2)
  assert.match(
    none.stderr,
    /set SIGNEDIMP_NEW_PASSWORD or SIGNEDIMP_NEW_PASSWORD_FILE.*--no-password/,
  )
  assert.is(keys('convert k a', { SIGNEDIMP_NEW_PASSWORD: 'new one' }).status, 0)
  assert.is(opens(join(cwd, 'a'), 'new one'), 'private')
  writeFileSync(join(cwd, 'pw'), 'in a file\n')
  assert.is(keys('convert k b', { SIGNEDIMP_NEW_PASSWORD_FILE: 'pw' }).status, 0)
  assert.is(opens(join(cwd, 'b'), 'in a file'), 'private')
  const open = keys('convert k c --no-password --json')
  assert.is(open.stderr, '')
  assert.is(jsonOf(open).encrypted, false)
  assert.is(opens(join(cwd, 'c')), 'private')
})

test('a form without passwords is written where --no-password says so, and nowhere else', async () => {
  const { cwd, keys } = await workplace()
  const refused = keys('convert k k.jwk --to jwk', old)
  assert.is(refused.status, 2)
  assert.match(refused.stderr, '--to jwk knows no password')
  const { status, stderr } = keys('convert k k.jwk --to jwk --no-password', old)
  assert.is(status, 0, stderr)
  assert.match(stderr, 'k.jwk is not encrypted')
  assert.is(statSync(join(cwd, 'k.jwk')).mode & 0o777, 0o600)
  assert.is(JSON.parse(readFileSync(join(cwd, 'k.jwk'), 'utf8')).alg, 'EdDSA')
})

test('of a public key, a certificate or with --public only the public half is written', async () => {
  const { cwd, fingerprint, keys } = await workplace()
  for (const args of ['k.pub a', 'k b --public', 'k.pub c --to jwk', 'k d --public --to der']) {
    const { status, stdout, stderr } = keys(`convert ${args}`, old)
    assert.is(status, 0, stderr)
    assert.match(stdout, /^public /)
    const name = args.split(' ')[1]!
    assert.not.match(readFileSync(join(cwd, name), 'latin1'), /PRIVATE|"d"/)
    assert.match(keys(`show ${name}`).stdout, fingerprint)
  }
  assert.is(readFileSync(join(cwd, 'b'), 'utf8'), readFileSync(join(cwd, 'k.pub'), 'utf8'))
})

test('nothing is overwritten, and nothing is left of what failed', async () => {
  const { cwd, keys } = await workplace()
  for (const args of [
    'k k.pub',
    'k k --no-password',
    'k new --to sec1 --no-password',
    'k.pub new --to pkcs1',
  ]) {
    const { status } = keys(`convert ${args}`, old)
    assert.is(status, 2, args)
  }
  assert.match(keys('convert k k.pub', old).stderr, 'k.pub: exists already')
  assert.equal(readdirSync(cwd).sort(), ['k', 'k.pub'])
  assert.is(opens(join(cwd, 'k'), 'old one'), 'private')
})

// keys password
test('a password is changed in its place, and taken away, and given again', async () => {
  const { cwd, fingerprint, keys, file } = await workplace()
  const { status, stdout, stderr } = keys('password k', both)
  assert.is(status, 0, stderr)
  assert.is(stdout, `private      k\nfingerprint  ${fingerprint}\n`)
  assert.match(stderr, 'keep the old password')
  assert.is(opens(file, 'new one'), 'private')
  assert.is(statSync(file).mode & 0o777, 0o600)
  const env = { SIGNEDIMP_PASSWORD: 'new one' }
  assert.match(keys('password k --no-password', env).stderr, 'k is not encrypted')
  assert.is(opens(file), 'private')
  assert.is(keys('password k --kdf pbkdf2', { SIGNEDIMP_NEW_PASSWORD: 'third' }).status, 0)
  assert.is(opens(file, 'third'), 'private')
  assert.match(keys('show k', { SIGNEDIMP_PASSWORD: 'third' }).stdout, fingerprint)
  assert.equal(readdirSync(cwd).sort(), ['k', 'k.pub'])
})

test('a file stays as it is where its password is wrong, the new one is none, or the next file is there', async () => {
  const { cwd, keys, file } = await workplace()
  const before = readFileSync(file)
  assert.is(keys('password k', { ...both, SIGNEDIMP_PASSWORD: 'wrong' }).status, 2)
  assert.match(keys('password k', old).stderr, 'set SIGNEDIMP_NEW_PASSWORD')
  assert.match(keys('password k.pub', both).stderr, 'only private keys in PEM')
  writeFileSync(join(cwd, 'k.new'), 'mine')
  assert.match(keys('password k', both).stderr, 'k.new: exists already')
  assert.equal(readFileSync(file), before)
  assert.is(readFileSync(join(cwd, 'k.new'), 'utf8'), 'mine')
})

test('other forms are not changed in their place', async () => {
  const { keys } = await workplace()
  keys('convert k k.jwk --to jwk --no-password', old)
  const { status, stderr } = keys('password k.jwk', both)
  assert.is(status, 2)
  assert.match(stderr, /k\.jwk: is JWK, and only private keys in PEM.*keys convert/)
})

test('a link to a key stays one', async () => {
  const { cwd, keys } = await workplace()
  copyFileSync(join(cwd, 'k'), join(cwd, 'real'))
  symlinkSync('real', join(cwd, 'link'))
  assert.is(keys('password link', both).status, 0)
  assert.is(opens(join(cwd, 'real'), 'new one'), 'private')
  assert.ok(
    readdirSync(cwd, { withFileTypes: true })
      .find(({ name }) => name === 'link')!
      .isSymbolicLink(),
  )
})

const typing = 'a terminal is asked for the old password, and twice for the new one'
if (!hasTerminal) skip(test, typing, 'there is no script command of util-linux')
else
  test(typing, async () => {
    const { cwd, file } = await workplace()
    const { status, shown } = await signedimpInTerminal(
      ['keys', 'password', 'k'],
      [
        ['Password for k: ', 'old one\r'],
        ['Password for the new key: ', 'nèw\r'],
        ['The same again: ', 'nèw\r'],
      ],
      { cwd },
    )
    assert.is(status, 0, shown)
    assert.not.match(shown, /old one|nèw/)
    assert.is(opens(file, 'nèw'), 'private')
  })

test('keys that were made elsewhere have the fingerprint that they have here', async () => {
  const { cwd, keys } = await workplace()
  const key = await generateKey('ecdsa-p256')
  writeFileSync(join(cwd, 'e'), JSON.stringify(key.export({ format: 'jwk' })))
  assert.match(keys('show e').stdout, toTrustedKey(key).fingerprint)
})

test.run()
