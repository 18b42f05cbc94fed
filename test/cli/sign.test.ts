import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { skip } from '../support/skip.ts'
import { readFrom, writeInto } from '../tree/folder.ts'
import { hasTerminal, jsonOf, signedimp, signedimpInTerminal, signedimpPiped } from './run.ts'
import { addKey, appFolder } from './workplace.ts'

const env = { SIGNEDIMP_PASSWORD: 'pw' }

/** An app to sign, and a key without a password. */
async function workplace(): Promise<string> {
  const cwd = appFolder()
  await addKey(cwd, 'open.key')
  return cwd
}

test('a folder is signed, and what was signed is told', async () => {
  const cwd = await workplace()
  const args = ['sign', 'dist', '--key', 'open.key', '--name', 'shop', '--build', '7']
  const { status, stdout, stderr } = signedimp(args, { cwd })
  assert.is(status, 0, stderr)
  assert.match(
    stdout,
    /^manifest +signedimp-manifest\.txt\nname +shop\nbuild +7\nhash +sha256\nfiles +2\nsigner +[0-9a-f]{64}\n$/,
  )
  assert.is(stderr, `Signed ${join('dist', 'signedimp-manifest.txt')}.\n`)
  assert.match(readFrom(cwd, 'dist/signedimp-manifest.txt'), '# name: shop\n# build: 7\n')
})

test('--json says the same as one object, of a second signature too', async () => {
  const cwd = await workplace()
  const second = await addKey(cwd, 'second.key')
  const all = [
    '--name',
    'shop',
    '--expires',
    '2100-01-01T00:00:00Z',
    '--hash',
    'sha512',
    '--manifest',
    'm.txt',
  ]
  const first = signedimp(['sign', 'dist', '--key', 'open.key', ...all, '--json'], { cwd })
  assert.is(first.stderr, '')
  const { signer, ...report } = jsonOf(first)
  assert.equal(report, {
    manifest: 'm.txt',
    hash: 'sha512',
    name: 'shop',
    expires: '2100-01-01T00:00:00Z',
    files: 2,
    kept: [],
    dropped: [],
    pageManifests: [],
    droppedImports: [],
    removedCopies: [],
  })
  const again = signedimp(['sign', 'dist', '--key', 'second.key', '--manifest', 'm.txt'], { cwd })
  assert.is(again.status, 0)
  assert.match(again.stdout, new RegExp(`signer +${second}\\nkept +${signer}\\n`))
  assert.match(again.stderr, 'kept, and not checked')
})

test('the name comes from package.json, and without any it is said what is missing', async () => {
  const cwd = await workplace()
  const args = ['sign', 'dist', '--key', 'open.key']
  const nameless = signedimp(args, { cwd })
  assert.is(nameless.status, 2)
  assert.match(nameless.stderr, /^signedimp: "name" must say which app/)
  assert.not.match(nameless.stderr, / at /)
  writeFileSync(join(cwd, 'package.json'), '{"name":"from-package"}')
  assert.match(signedimp(args, { cwd }).stdout, /name +from-package/)
})

test('a wrong or missing password cannot run, and is not repeated', async () => {
  const cwd = await workplace()
  await addKey(cwd, 'locked.key', 'pw')
  const args = ['sign', 'dist', '--key', 'locked.key', '--name', 'shop']
  for (const wrong of [{}, { SIGNEDIMP_PASSWORD: 'hunter2' }]) {
    const { status, stdout, stderr } = signedimp(args, { cwd, env: wrong })
    assert.is(status, 2)
    assert.is(stdout, '')
    assert.match(stderr, 'ERR_SIGNEDIMP_PASSWORD locked.key')
    assert.not.match(stderr, 'hunter2')
  }
  assert.not.ok(existsSync(join(cwd, 'dist/signedimp-manifest.txt')))
  assert.is(signedimp(args, { cwd, env }).status, 0)
})

test('keys that are none, and folders that are none, cannot run', async () => {
  const cwd = await workplace()
  writeFileSync(join(cwd, 'text'), 'no key')
  const sign = (dir: string, key: string) =>
    signedimp(['sign', dir, '--key', key, '--name', 'shop'], { cwd })
  for (const [run, message] of [
    [sign('dist', 'nowhere.key'), 'nowhere.key'],
    [sign('dist', 'text'), 'ERR_SIGNEDIMP_KEY text'],
    [sign('dist', 'open.key.pub'), 'ERR_SIGNEDIMP_KEY open.key.pub'],
    [sign('nowhere', 'open.key'), 'nowhere: no such file or folder'],
  ] as const) {
    assert.is(run.status, 2, run.stderr)
    assert.is(run.stdout, '')
    assert.match(run.stderr, message)
  }
})

test('a folder that cannot be listed is refused', async () => {
  const cwd = await workplace()
  writeInto(cwd, 'dist/assets/A.js', '')
  const result = signedimp(['sign', 'dist', '--key', 'open.key', '--name', 'shop', '--json'], {
    cwd,
  })
  assert.is(result.status, 1)
  assert.is(jsonOf(result).error.code, 'ERR_SIGNEDIMP_PATH')
  assert.match(result.stderr, 'ERR_SIGNEDIMP_PATH')
})

test('a private key inside the folder is not signed into it', async () => {
  const cwd = await workplace()
  mkdirSync(join(cwd, 'dist/..keys'))
  renameSync(join(cwd, 'open.key'), join(cwd, 'dist/..keys/open.key'))
  const args = ['sign', 'dist', '--key', 'dist/..keys/open.key', '--name', 'shop']
  const { status, stderr } = signedimp(args, { cwd })
  assert.is(status, 1)
  assert.match(stderr, 'ERR_SIGNEDIMP_KEY_EXPOSED')
  assert.not.ok(existsSync(join(cwd, 'dist/signedimp-manifest.txt')))
})

test('a zip file that holds the private key is not signed, whatever the key is called there', async () => {
  const cwd = await workplace()
  copyFileSync(join(cwd, 'open.key'), join(cwd, 'dist/notes.txt'))
  execFileSync('zip', ['-qr', '../app.zip', '.'], { cwd: join(cwd, 'dist') })
  const before = readFileSync(join(cwd, 'app.zip'))
  const args = ['app.zip', '--key', 'open.key', '--name', 'shop']
  const { status, stderr } = signedimp(['sign', ...args], { cwd })
  assert.is(status, 1)
  assert.match(stderr, 'ERR_SIGNEDIMP_KEY_EXPOSED')
  assert.equal(readFileSync(join(cwd, 'app.zip')), before)
})

test('a key that is given instead of its file is refused, and never repeated', async () => {
  const cwd = await workplace()
  const pem = readFileSync(join(cwd, 'open.key'), 'utf8')
  for (const [key, words] of [
    [pem, '--key takes a file'],
    [pem.replaceAll('\n', '\\n'), '--key takes a file'],
    [Buffer.from(pem).toString('base64'), 'is a PEM text in base64'],
    [pem.split('\n')[1]!, 'cannot be read'],
  ] as const)
    for (const command of ['sign', 'verify']) {
      const run = signedimp([command, 'dist', `--key=${key}`], { cwd })
      assert.is(run.status, 2)
      if (command === 'sign') assert.match(run.stderr, words)
      for (const part of key.match(/[\w+/=]{20,}/g)!)
        assert.not.ok((run.stdout + run.stderr).includes(part), run.stderr)
    }
})

test('a key may come through a pipe, so that it is written nowhere', async () => {
  const cwd = await workplace()
  const args = ['sign', 'dist', '--key', '/dev/stdin', '--name', 'shop']
  const { status, stderr } = signedimpPiped('open.key', args, { cwd })
  assert.is(status, 0, stderr)
  assert.is(signedimp(['verify', 'dist', '--key', 'open.key.pub'], { cwd }).status, 0)
})

const inTerminal: [string, () => Promise<void>][] = [
  [
    'a terminal is asked for the password of a locked key, and does not show it',
    async () => {
      const cwd = await workplace()
      await addKey(cwd, 'locked.key', 'pw')
      const args = ['sign', 'dist', '--key', 'locked.key', '--name', 'shop']
      const right = await signedimpInTerminal(args, [['Password for locked.key: ', 'pw\r']], {
        cwd,
      })
      assert.is(right.status, 0, right.shown)
      assert.not.match(right.shown, 'pw')
      const wrong = await signedimpInTerminal(args, [['Password for locked.key: ', 'hunter2\r']], {
        cwd,
      })
      assert.is(wrong.status, 2, wrong.shown)
      assert.match(wrong.shown, '\x1b[31msignedimp: ERR_SIGNEDIMP_PASSWORD')
      assert.not.match(wrong.shown, 'hunter2')
    },
  ],
  [
    'a terminal is not asked where no password is needed or one is in the environment',
    async () => {
      const cwd = await workplace()
      await addKey(cwd, 'locked.key', 'pw')
      const args = ['sign', 'dist', '--name', 'shop', '--key']
      for (const run of [
        await signedimpInTerminal([...args, 'open.key'], [], { cwd }),
        await signedimpInTerminal([...args, 'locked.key'], [], { cwd, env }),
      ]) {
        assert.is(run.status, 0, run.shown)
        assert.not.match(run.shown, 'Password')
      }
    },
  ],
]

for (const [title, work] of inTerminal)
  if (hasTerminal) test(title, work)
  else skip(test, title, 'there is no script command of util-linux')

test.run()
