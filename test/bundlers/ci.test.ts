import { createPublicKey } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { signedImp } from 'signedimp'
import { generateKey } from '../../src/keys/generate.ts'
import { hasTerminal } from '../cli/run.ts'
import { buildFixture } from '../support/fixture.ts'
import { skip } from '../support/skip.ts'
import { check, codeOf, manifestsIn, outcomeOf, saysSecret } from './built.ts'
import { appFiles, createProject, runVite, runViteAtKeyboard, type Ended } from './project.ts'

// Builds in processes, with keys and passwords as the systems that run builds give them.

const password = 'correct horse battery staple'
const key = await generateKey('ed25519')
const plain = key.export({ type: 'pkcs8', format: 'pem' }) as string
const encrypted = key.export({
  type: 'pkcs8',
  format: 'pem',
  cipher: 'aes-256-cbc',
  passphrase: password,
}) as string
const publicPem = createPublicKey(key).export({ type: 'spki', format: 'pem' }) as string
const escaped = (pem: string) => pem.replaceAll('\n', '\\n')
const secrets = [...plain.split('\n'), ...encrypted.split('\n')].filter((line) =>
  /^[\w+/=]{20,}$/.test(line),
)

const config = (call: string) => `import signedImp from 'signedimp'
export default { build: { minify: false }, plugins: [${call}] }
`
const project = await createProject({
  ...appFiles,
  'vite.config.js': config('signedImp(process.env.RELEASE_KEY)'),
  'forks.config.js': config(
    "signedImp(process.env.RELEASE_KEY, { mode: process.env.RELEASE_KEY ? 'on' : 'off' })",
  ),
  'either.config.js': config("signedImp(process.env.RELEASE_KEY || 'release.pem.pub')"),
  'release.pem.pub': publicPem,
  'locked.config.js': config("signedImp('locked.pem')"),
  'locked.pem': encrypted,
  'secrets/password': password + '\n',
})
const dist = join(project, 'dist')

function build(env: Record<string, string>, file = 'vite.config.js'): Ended {
  rmSync(dist, { recursive: true, force: true })
  const ended = runVite(['build', '--config', file], { cwd: project, env })
  assert.not.ok(saysSecret(ended.said, [...secrets, password]), 'shows the key or the password')
  return ended
}

const good: Record<string, Record<string, string>> = {
  'PEM text': { RELEASE_KEY: plain },
  'PEM text whose line breaks are \\n': { RELEASE_KEY: escaped(plain) },
  'encrypted PEM text with \\n, and SIGNEDIMP_PASSWORD': {
    RELEASE_KEY: escaped(encrypted),
    SIGNEDIMP_PASSWORD: password,
  },
  'encrypted PEM text, and SIGNEDIMP_PASSWORD_FILE': {
    RELEASE_KEY: encrypted,
    SIGNEDIMP_PASSWORD_FILE: 'secrets/password',
  },
}
for (const [what, env] of Object.entries(good))
  test(`a key from the environment signs: ${what}`, async () => {
    const { status, said } = build(env)
    assert.is(status, 0, said)
    await check(dist, key)
  })

const bad: Record<string, [env: Record<string, string>, words: RegExp]> = {
  'the base64 of PEM': [
    { RELEASE_KEY: Buffer.from(plain).toString('base64') },
    /ERR_SIGNEDIMP_KEY "key" is a PEM text in base64: decode it first/,
  ],
  'PEM on one line': [
    { RELEASE_KEY: plain.replaceAll('\n', ' ') },
    /ERR_SIGNEDIMP_KEY "key" holds a key without its line breaks/,
  ],
  'an unset variable': [{}, /the key must be .*is an environment variable not set\?/],
  'an unset secret, which is an empty text': [
    { RELEASE_KEY: '' },
    /the key must be .*is an environment variable not set\?/,
  ],
  'an encrypted key without a password': [{ RELEASE_KEY: encrypted }, /ERR_SIGNEDIMP_PASSWORD/],
  'a password file that is not there': [
    { RELEASE_KEY: encrypted, SIGNEDIMP_PASSWORD_FILE: 'secrets/none' },
    /ERR_SIGNEDIMP_PASSWORD SIGNEDIMP_PASSWORD_FILE names a file that cannot be read/,
  ],
}
for (const [what, [env, words]] of Object.entries(bad))
  test(`a build fails and says why: ${what}`, () => {
    const { status, said } = build(env)
    assert.is(status, 1, said)
    assert.match(said, words)
    assert.equal(manifestsIn(dist), [])
  })

test("mode 'off' where the key is not set builds without one, and warns", async () => {
  for (const env of [{}, { RELEASE_KEY: '' }] as Record<string, string>[]) {
    const { status, said } = build(env, 'forks.config.js')
    assert.is(status, 0, said)
    assert.match(said, 'NOT signed')
    assert.equal(manifestsIn(dist), [])
  }
  assert.is(build({ RELEASE_KEY: plain }, 'forks.config.js').status, 0)
  await check(dist, key)
})

test('the public key where the private one is not set builds what is signed later', async () => {
  const { status, said } = build({ RELEASE_KEY: '' }, 'either.config.js')
  assert.is(status, 0, said)
  assert.match(said, 'NOT SIGNED YET')
  assert.is(manifestsIn(dist).length, 2)
  assert.is(build({ RELEASE_KEY: plain }, 'either.config.js').status, 0)
  await check(dist, key)
})

test("mode 'off' reads no key and asks for no password", async () => {
  const options = { mode: 'off', password: () => assert.unreachable('asked') } as const
  for (const source of ['missing.pem', '', undefined]) {
    const plugins = [signedImp(source, options as never)]
    const dir = await buildFixture(appFiles, { plugins, config: { logLevel: 'silent' } })
    assert.equal(manifestsIn(dir), [])
  }
})

// Nobody is asked.

const keyboards: [what: string, terminal: boolean][] = [
  ['a terminal', true],
  ['an input that stays open', false],
]
for (const [what, terminal] of keyboards) {
  const title = `a build never waits for a password: ${what}`
  if (terminal && !hasTerminal) skip(test, title, 'there is no script command of util-linux')
  else
    test(title, async () => {
      const args = ['build', '--config', 'locked.config.js']
      const { status, said } = await runViteAtKeyboard(args, { cwd: project }, terminal)
      assert.is(status, 1, said)
      assert.match(said, 'ERR_SIGNEDIMP_PASSWORD locked.pem: holds an encrypted key')
    })
}

test('the password is in SIGNEDIMP_PASSWORD_FILE, relative to the root or absolute', async () => {
  const absolute = join(project, 'secrets/password')
  for (const file of ['secrets/password', absolute]) {
    const { status, said } = build({ SIGNEDIMP_PASSWORD_FILE: file }, 'locked.config.js')
    assert.is(status, 0, said)
    await check(dist, key)
  }
  writeFileSync(join(project, 'secrets/wrong'), 'wrong\n')
  const { said } = build({ SIGNEDIMP_PASSWORD_FILE: 'secrets/wrong' }, 'locked.config.js')
  assert.match(said, 'ERR_SIGNEDIMP_PASSWORD locked.pem: does not open')
})

// What is looked for in the output.

test('a key with \\n in place of its line breaks is found in the output in either form', async () => {
  for (const source of [escaped(plain), escaped(encrypted)])
    for (const value of [source, source.replaceAll('\\n', '\n')]) {
      const building = buildFixture(
        { ...appFiles, 'src/lazy.js': 'export default KEY' },
        {
          plugins: [signedImp(source, { password })],
          config: { logLevel: 'silent', define: { KEY: JSON.stringify(value) } },
        },
      )
      assert.is(codeOf(await outcomeOf(building)), 'ERR_SIGNEDIMP_KEY_EXPOSED')
    }
})

test.run()
