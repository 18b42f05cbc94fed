import { execFileSync } from 'node:child_process'
import { cpSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { serve } from '../../playground/server.ts'
import { writeInto } from '../tree/folder.ts'
import { jsonOf, signedimp, signedimpBeside } from './run.ts'
import { signedApp } from './workplace.ts'

const manifest = 'signedimp-manifest.txt'

/** An app of build 7 signed by `a.key` as `old`, and one of build 8 signed by `b.key` as `dist`, in which each change is once. */
async function releases() {
  const { cwd, a, b } = await signedApp()
  const run = (...args: string[]) => signedimp(args, { cwd })
  writeInto(cwd, 'dist/gone.txt', '')
  run('sign', 'dist', '--key', 'a.key')
  cpSync(join(cwd, 'dist'), join(cwd, 'old'), { recursive: true })
  rmSync(join(cwd, 'dist/gone.txt'))
  writeInto(cwd, 'dist/new.txt', '')
  writeInto(cwd, 'dist/assets/a.js', 'changed')
  run('sign', 'dist', '--key', 'b.key', '--build', '8')
  for (const name of ['old', 'dist'])
    execFileSync('zip', ['-qr', `../${name}.zip`, '.'], { cwd: join(cwd, name) })
  return { cwd, a, b, run }
}

test('files, directives and keys that differ are told, of whatever holds them', async () => {
  const { cwd, a, b, run } = await releases()
  const lines = [
    'build     7 -> 8',
    `signer +  ${b}`,
    `signer -  ${a}`,
    'added     new.txt',
    'removed   gone.txt',
    'changed   assets/a.js',
    '1 added, 1 removed, 1 changed',
    '',
  ]
  const site = await serve(join(cwd, 'old'))
  try {
    for (const old of ['old', 'old.zip', `old/${manifest}`, site.url])
      for (const next of ['dist', 'dist.zip', `dist/${manifest}`]) {
        const { status, stdout, stderr } = await signedimpBeside(['diff', old, next], { cwd })
        assert.is(status, 1, stderr)
        assert.equal(stdout.split('\n'), lines, `${old} ${next}`)
        assert.is(stderr, `Nobody checked who signed ${old} and ${next}.\n`)
      }
  } finally {
    await site.close()
  }
  assert.equal(jsonOf(run('diff', 'old', 'dist', '--json')), {
    same: false,
    manifest: [{ what: 'build', old: 7, new: 8 }],
    signers: { added: [b], removed: [a] },
    files: { added: ['new.txt'], removed: ['gone.txt'], changed: ['assets/a.js'] },
  })
})

test('where nothing differs the status is 0', async () => {
  const { run } = await releases()
  for (const other of ['dist.zip', `dist/${manifest}`, 'dist']) {
    const { status, stdout } = run('diff', 'dist', other)
    assert.equal([status, stdout], [0, '0 added, 0 removed, 0 changed\n'])
  }
  assert.is(jsonOf(run('diff', 'dist', 'dist.zip', '--json')).same, true)
})

test('files count as they are, whatever a manifest says; without one too', async () => {
  const { cwd, run } = await releases()
  writeInto(cwd, 'dist/assets/a.js', 'changed again')
  assert.match(run('diff', `dist/${manifest}`, 'dist').stdout, /^changed +assets\/a\.js\n/)
  for (const name of ['old', 'dist']) rmSync(join(cwd, name, manifest))
  const { stdout } = run('diff', 'old', 'dist')
  assert.match(stdout, /^added +new\.txt\nremoved +gone\.txt\nchanged +assets\/a\.js\n/)
  symlinkSync('new.txt', join(cwd, 'dist/link'))
  assert.match(run('diff', 'old', 'dist').stdout, /^added +link\n/)
})

test('files are hashed as the other side lists them; two lists of other types cannot be compared', async () => {
  const { run } = await releases()
  run('sign', 'old', '--key', 'a.key', '--hash', 'sha512')
  const { status, stdout } = run('diff', `old/${manifest}`, 'dist')
  assert.equal([status, stdout.split('\n').at(-2)], [1, '1 added, 1 removed, 1 changed'])
  const back = run('diff', 'dist', `old/${manifest}`)
  assert.equal([back.status, back.stdout.split('\n').at(-2)], [1, '1 added, 1 removed, 1 changed'])
  const lists = run('diff', `old/${manifest}`, `dist/${manifest}`)
  assert.is(lists.status, 1)
  assert.match(lists.stderr, 'ERR_SIGNEDIMP_RELEASE lists hashes of the type sha256')
})

test('what is not there, or no manifest, is told without a stack', async () => {
  const { cwd, run } = await releases()
  writeInto(cwd, 'text', 'no manifest')
  for (const [args, status, message] of [
    [['nowhere', 'dist'], 2, 'nowhere: no such file'],
    [['dist'], 2, '<new> is missing'],
    [['dist', 'text'], 1, 'ERR_SIGNEDIMP_MANIFEST_INVALID'],
    [['dist', 'http://127.0.0.1:9/'], 2, 'ERR_SIGNEDIMP_NETWORK'],
  ] as const) {
    const result = run('diff', ...args)
    assert.is(result.status, status, result.stderr)
    assert.match(result.stderr, message)
    assert.not.match(result.stderr, /^ +at /m)
  }
})

test.run()
