import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKeyPairSync } from 'node:crypto'
import { formatNumbers } from '../../src/keys/numbers.ts'
import { numbers, signedFiles, vectors } from '../python/vectors.ts'
import { scratchFolder } from '../support/processes.ts'
import { readFrom, writeInto } from '../tree/folder.ts'
import { jsonOf, signedimp } from './run.ts'
import { addKey } from './workplace.ts'

const manifest = 'app/signedimp-manifest.txt'

/** The folder that Python signed, with one of its manifests, and its key in a file. */
function pythonFolder(signed: string) {
  const cwd = scratchFolder()
  for (const [path, content] of Object.entries(signedFiles))
    writeInto(cwd, `app/${path}`, Buffer.from(content, 'base64'))
  cpSync(join(vectors, 'manifests', `${signed}.txt`), join(cwd, manifest))
  const [, bits] = signed.split('-')
  const { n, e } = numbers[bits!]!
  writeFileSync(join(cwd, 'key'), formatNumbers({ n: BigInt(n), e: BigInt(e) }))
  const run = (line: string) => signedimp(line.split(' '), { cwd })
  return { cwd, run, fingerprint: numbers[bits!]!.fingerprint }
}

const verify = 'verify app --format python --key key'

for (const bits of [1024, 1032, 2048, 3072])
  for (const by of [
    `py-${bits}-sha1`,
    `py-${bits}-md5`,
    ...(bits === 1032 ? [] : [`node-${bits}-sha1`]),
  ])
    test(`what ${by} signed is as signed, and not with another file`, () => {
      const { cwd, run, fingerprint } = pythonFolder(by)
      const { status, stdout, stderr } = run(verify)
      assert.is(status, 0, stderr)
      const hash = by.split('-')[2]
      assert.match(stdout, new RegExp(`hash +${hash}\\nfiles +9\\nsigner +${fingerprint}\\n$`))
      assert.match(stderr, "As signed for Python's signedimp, by SHA-1, which is broken")
      writeInto(cwd, 'app/main.py', 'evil')
      writeInto(cwd, 'app/new.py', 'evil')
      rmSync(join(cwd, 'app/a.js'))
      const refused = run(verify)
      assert.is(refused.status, 1)
      assert.is(refused.stdout, 'missing   a.js\nchanged   main.py\nunlisted  new.py\n')
    })

test('a key that Python computes wrong with, and one with the exponent 3, verify nothing', () => {
  for (const bits of ['1031', '2047', '2048e3']) {
    const { cwd, run } = pythonFolder('py-2048-sha1')
    const { n, e } = numbers[bits]!
    writeFileSync(join(cwd, 'key'), formatNumbers({ n: BigInt(n), e: BigInt(e) }))
    const { status, stderr } = run(verify)
    assert.is(status, 2)
    assert.match(stderr, 'ERR_SIGNEDIMP_KEY key: is an RSA key')
  }
})

test('what is signed for Python is verified so, and is nothing that signedimp itself accepts', () => {
  const { cwd, run } = pythonFolder('py-2048-sha1')
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 3072 })
  writeFileSync(join(cwd, 'k.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const signed = run('sign app --format python --key k.key --json')
  assert.is(signed.status, 0, signed.stderr)
  const { signers, ...rest } = jsonOf(signed)
  assert.equal(rest, {
    format: 'python',
    manifest: 'signedimp-manifest.txt',
    hash: 'sha1',
    files: 9,
  })
  assert.is(run('keys convert k.key key.pub --public').status, 0)
  assert.equal(jsonOf(run('verify app --format python --key key.pub --json')).signers, signers)
  const own = run('verify app --key key.pub')
  assert.is(own.status, 1)
  assert.match(own.stderr, 'ERR_SIGNEDIMP_MANIFEST_INVALID line 1')
  // The same list as Python's own, but for who signed it.
  const textOf = (text: string) => text.split('\n\n')[1]
  const python = readFileSync(join(vectors, 'manifests/py-2048-sha1.txt'), 'utf8')
  assert.is(textOf(readFrom(cwd, manifest)), textOf(python))
})

test('flags that the format has no place for are refused, and so are keys that do not sign', async () => {
  const { cwd, run } = pythonFolder('py-2048-sha1')
  await addKey(cwd, 'ed.key')
  const before = readFrom(cwd, manifest)
  for (const [line, words] of [
    ['sign app --format python --key key --name shop', '--name is not for --format python'],
    ['sign app --format python --key key --build 4', '--build is not for'],
    ['verify app --format python --key key --threshold 1', '--threshold is not for'],
    ['sign app --format python --key key', 'is a public key where a private key belongs'],
    ['sign app --format python --key ed.key', 'only keys of RSA'],
    ['sign app --format ruby --key key', '--format must be one of signedimp, python'],
    ['verify app --format python --key key --manifest ../m', 'a file name without folders'],
  ] as const) {
    const { status, stderr } = run(line)
    assert.is(status, 2, line)
    assert.match(stderr, words)
  }
  assert.is(readFrom(cwd, manifest), before)
  rmSync(join(cwd, manifest))
  assert.match(run(verify).stderr, 'ERR_SIGNEDIMP_MISSING signedimp-manifest.txt')
})

test.run()
