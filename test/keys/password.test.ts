import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { findPassword } from '../../src/keys/password.ts'
import { inFolder } from './folder.ts'
import { mistaken, password, refused } from './refusals.ts'

const inEnv = (value: string) => ({ SIGNEDIMP_PASSWORD: value })

test('the option comes before the variable, and that before the file', () =>
  inFolder(async (cwd) => {
    await writeFile(join(cwd, 'file'), 'from the file')
    const file = { SIGNEDIMP_PASSWORD_FILE: 'file' }
    assert.is(
      await findPassword({ password, env: { ...inEnv('variable'), ...file }, cwd }),
      password,
    )
    assert.is(await findPassword({ env: { ...inEnv('variable'), ...file }, cwd }), 'variable')
    assert.is(await findPassword({ env: { ...inEnv(''), ...file }, cwd }), 'from the file')
    assert.is(await findPassword({ env: {} }), undefined)
  }))

test('a function is asked, and may answer later', async () => {
  assert.is(await findPassword({ password: () => password, env: {} }), password)
  assert.is(await findPassword({ password: async () => password, env: inEnv('other') }), password)
})

test('process.env is where variables are looked up', async () => {
  process.env['SIGNEDIMP_PASSWORD'] = 'in the process'
  try {
    assert.is(await findPassword({}), 'in the process')
  } finally {
    delete process.env['SIGNEDIMP_PASSWORD']
  }
})

test('an empty password is none, wherever it comes from: an unset variable must not open a key', () =>
  inFolder(async (cwd) => {
    await writeFile(join(cwd, 'empty'), '\n')
    for (const options of [
      { password: '', env: inEnv('other') },
      { password: () => '', env: inEnv('other') },
      { password: () => undefined as never, env: inEnv('other') },
      { env: inEnv('') },
      { env: { SIGNEDIMP_PASSWORD_FILE: '' } },
      { env: { SIGNEDIMP_PASSWORD_FILE: 'empty' }, cwd },
    ])
      assert.is(await findPassword(options), undefined)
  }))

test('of a file, the line end at its end is no part of the password; anything else is', () =>
  inFolder(async (cwd) => {
    const env = { SIGNEDIMP_PASSWORD_FILE: join(cwd, 'p') }
    for (const [text, expected] of [
      ['a b', 'a b'],
      ['a b\n', 'a b'],
      ['a b\r\n', 'a b'],
      ['a b\n\n', 'a b\n'],
      [' a b ', ' a b '],
      ['pässwörd\n', 'pässwörd'],
    ] as const) {
      await writeFile(join(cwd, 'p'), text)
      assert.is(await findPassword({ env }), expected)
    }
  }))

test('a password file that cannot be read is refused, and the variable is not repeated: it may be the password', async () => {
  const env = { SIGNEDIMP_PASSWORD_FILE: password }
  await refused(
    'ERR_SIGNEDIMP_PASSWORD',
    () => findPassword({ env }),
    /SIGNEDIMP_PASSWORD_FILE names a file that cannot be read \(ENOENT\)/,
    password,
  )
})

for (const value of [null, 7, true, ['a'], {}, Buffer.from(password)])
  test(`a password that is ${JSON.stringify(value)} is a mistake`, async () => {
    await mistaken(
      () => findPassword({ password: value as never, env: {} }),
      '"password" must be a string',
    )
    await mistaken(
      () => findPassword({ password: () => value as never, env: {} }),
      '"password" must be a string',
    )
  })

test.run()
