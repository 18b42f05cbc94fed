import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { execFileSync } from 'node:child_process'
import { gzipSync } from 'node:zlib'
import { loadSigner } from '../../src/keys/private.ts'
import { skip } from '../support/skip.ts'
import { addPageManifest, contentsOf, readFrom, writeInto } from '../tree/folder.ts'
import { hasTerminal, jsonOf, signedimp, signedimpInTerminal } from './run.ts'
import { addKey, signedApp } from './workplace.ts'

const manifest = 'signedimp-manifest.txt'

/** An app of build 7 with a page manifest, all of it unsigned; the last release; and a signer's machine with a copy. */
async function release() {
  const { cwd, a, b } = await signedApp()
  cpSync(join(cwd, 'dist', manifest), join(cwd, 'last.txt'))
  const run = (...args: string[]) => signedimp(args, { cwd })
  writeInto(cwd, 'dist/assets/b.js', 'b')
  const signer = await loadSigner(join(cwd, 'a.key'))
  const page = await addPageManifest(join(cwd, 'dist'), signer, ['assets/b.js'], { build: 8 })
  assert.is(run('sign', 'dist', '--key', 'a.key', '--build', '8').status, 0)
  assert.is(run('unsign', 'dist').status, 0)
  for (const name of [manifest, page]) cpSync(join(cwd, 'dist', name), join(cwd, 'sent', name))
  return { cwd, a, b, run, page }
}

const signing = [
  'sign',
  'sent',
  '--detached',
  '--key',
  'a.key',
  '--since',
  'last.txt',
  '--never-expires',
]
const attaching = ['attach', 'dist', 'a.sig', '--key', 'a.key.pub']
const verifying = ['verify', 'dist', '--key', 'a.key.pub', '--name', 'shop']

test('a build is signed by the manifests alone, and verify fails until then', async () => {
  const { cwd, run, page, a } = await release()
  assert.is(run(...verifying).status, 1)
  const before = contentsOf(join(cwd, 'sent'))
  const signed = run(...signing, '--out', 'a.sig')
  assert.is(signed.status, 0, signed.stderr)
  assert.is(signed.stdout, 'signatures  a.sig\n')
  assert.match(signed.stderr, /build +8\n[^]*last build +7\n/)
  assert.match(signed.stderr, 'added     assets/b.js\n1 added, 0 removed, 0 changed\n')
  assert.match(signed.stderr, `Signed ${join('sent', page)}, which stays as it is.`)
  assert.equal(contentsOf(join(cwd, 'sent')), before)
  const attached = run(...attaching)
  assert.is(attached.status, 0, attached.stderr)
  assert.match(attached.stdout, `manifest  ${page}\nmanifest  ${manifest}\nsigner    ${a}\n`)
  assert.match(attached.stderr, 'verify tells')
  const verified = run(...verifying)
  assert.is(verified.status, 0, verified.stderr)
  assert.match(verified.stdout, `page manifest  ${page}`)
})

test('without --out the signatures are standard output, and with --json too', async () => {
  const { cwd, run, page, a } = await release()
  const { stdout } = run(...signing)
  assert.match(stdout, new RegExp(`^${a} [\\w+/=]+\\n${a} [\\w+/=]+\\n$`))
  writeFileSync(join(cwd, 'a.sig'), stdout)
  assert.is(run(...attaching).status, 0)
  const { signatures, changes, ...rest } = jsonOf(run(...signing, '--json'))
  assert.equal(changes, { added: ['assets/b.js'], removed: [], changed: [] })
  assert.equal(rest, { hash: 'sha256', name: 'shop', build: 8, files: 3, signer: a })
  assert.equal(
    signatures.map(({ path }: { path: string }) => path),
    [manifest, page],
  )
  assert.is(stdout, signatures.map(({ line }: { line: string }) => `${line}\n`).join(''))
})

test('a second key adds its signatures, and those that were there stay', async () => {
  const { cwd, run, a, b } = await release()
  run(...signing, '--out', 'a.sig')
  assert.is(run(...attaching).status, 0)
  const bySecond = signing.map((word) => (word === 'a.key' ? 'b.key' : word))
  const first = bySecond.flatMap((word) =>
    word === '--since' ? ['--first', '--name', 'shop'] : word === 'last.txt' ? [] : [word],
  )
  assert.is(run(...first, '--out', 'b.sig').status, 0)
  const report = jsonOf(run('attach', 'dist', 'b.sig', '--key', 'b.key.pub', '--json'))
  assert.equal([report.added, report.kept], [[b], [a]])
  const both = [...verifying, '--key', 'b.key.pub', '--threshold', '2']
  assert.is(run(...both).status, 0)
  assert.is(run('attach', 'dist', 'b.sig', '--key', 'b.key.pub').status, 0)
  assert.is(run(...both).status, 0)
  assert.is(readFrom(cwd, `dist/${manifest}`).split('\n').indexOf(''), 2)
})

test('signatures of other texts, by unknown keys, or too few are refused, and nothing is written', async () => {
  const { cwd, run, page } = await release()
  run(...signing, '--out', 'a.sig')
  const lines = readFrom(cwd, 'a.sig').split('\n')
  const [main, ofPage] = lines
  const flipped = main!.replace(/.(?==*$)/, (letter) => (letter === 'A' ? 'Q' : 'A'))
  const before = contentsOf(join(cwd, 'dist'))
  for (const [text, code, message] of [
    [`${main}\n`, 'SIGNATURE', `${page}: there is no signature of it`],
    [`${ofPage}\n`, 'SIGNATURE', 'there is no signature of it'],
    [`${flipped}\n${ofPage}\n`, /SIGNATURE|MANIFEST_INVALID/, ''],
    ['', 'MANIFEST_INVALID', 'no file of signatures'],
    [`${main}`, 'MANIFEST_INVALID', 'no file of signatures'],
    [`${main}\n\n${ofPage}\n`, 'MANIFEST_INVALID', 'no file of signatures'],
    ['no signature\n', 'MANIFEST_INVALID', 'no file of signatures: line 1'],
  ] as const) {
    writeFileSync(join(cwd, 'a.sig'), text)
    const result = run(...attaching)
    assert.is(result.status, 1, result.stderr)
    assert.match(result.stderr, code)
    assert.match(result.stderr, message)
    assert.not.match(result.stderr, /^ +at /m)
    assert.equal(contentsOf(join(cwd, 'dist')), before)
  }
  writeFileSync(join(cwd, 'a.sig'), lines.join('\n'))
  const unknown = run('attach', 'dist', 'a.sig', '--key', 'b.key.pub', '--json')
  assert.equal([unknown.status, jsonOf(unknown).error.code], [1, 'ERR_SIGNEDIMP_SIGNATURE'])
  writeInto(cwd, 'dist/assets/a.js', 'changed')
  assert.is(run('sign', 'dist', '--key', 'b.key', '--build', '9').status, 0)
  assert.is(run(...attaching).status, 1)
})

test('what is not there, and what makes no sense, cannot run', async () => {
  const { run } = await release()
  const base = ['sign', 'sent', '--detached', '--key', 'a.key']
  for (const [args, message] of [
    [base, 'give --since'],
    [[...base, '--first'], '--name must be given'],
    [[...base, '--first', '--since', 'last.txt'], 'give --since'],
    [[...base, '--since', 'nowhere.txt'], 'no such file'],
    [[...signing, '--build', '9'], '--build is not for --detached'],
    [[...signing, '--max-days', 'x'], '--max-days must be a whole number'],
    [['sign', 'dist', '--key', 'a.key', '--since', 'last.txt'], '--since is for --detached'],
    [['attach', 'dist', 'nowhere.sig', '--key', 'a.key.pub'], 'no such file'],
    [['attach', 'dist', '--key', 'a.key.pub'], '<signatures> is missing'],
    [['unsign', 'nowhere'], 'no such file'],
    [['unsign', 'dist', '--key', 'a.key'], 'private key'],
  ] as const) {
    const { status, stderr } = run(...args)
    assert.is(status, 2, stderr)
    assert.match(stderr, message)
    assert.not.match(stderr, /^ +at /m)
  }
})

test('a manifest alone, and a zip file, are signed so too', async () => {
  const { cwd, run, page } = await release()
  const alone = signing.map((word) => (word === 'sent' ? `sent/${manifest}` : word))
  assert.is(run(...alone, '--out', 'main.sig').status, 0)
  assert.is(run('attach', `dist/${manifest}`, 'main.sig', '--key', 'a.key.pub').status, 0)
  assert.match(run(...verifying).stderr, `${page} changed`)
  execFileSync('zip', ['-qr', '../app.zip', '.'], { cwd: join(cwd, 'dist') })
  run('unsign', 'app.zip')
  assert.is(run('verify', 'app.zip', '--key', 'a.key.pub').status, 1)
  run(...signing, '--out', 'all.sig')
  assert.is(run('attach', 'app.zip', 'all.sig', '--key', 'a.key.pub').status, 0)
  assert.is(run('verify', 'app.zip', '--key', 'a.key.pub').status, 0)
})

test('compressed copies of the manifests go with what they hold', async () => {
  const { cwd, run } = await release()
  run(...signing, '--out', 'a.sig')
  writeFileSync(
    join(cwd, 'dist', `${manifest}.gz`),
    gzipSync(readFileSync(join(cwd, 'dist', manifest))),
  )
  assert.is(run(...attaching).status, 0)
  assert.not.ok(existsSync(join(cwd, 'dist', `${manifest}.gz`)))
  assert.is(run(...verifying).status, 0)
})

test('unsign takes out the signatures of one key, or all', async () => {
  const { cwd, run, a, b } = await release()
  for (const key of ['a.key', 'b.key']) run('sign', 'dist', '--key', key)
  const one = jsonOf(run('unsign', 'dist', '--key', 'a.key.pub', '--json'))
  assert.equal(one, { removed: [a], kept: [b] })
  assert.is(run(...verifying).status, 1)
  assert.is(run('verify', 'dist', '--key', 'b.key.pub').status, 0)
  const again = run('unsign', 'dist', '--key', 'a.key.pub')
  assert.is(again.status, 1)
  assert.match(again.stderr, `ERR_SIGNEDIMP_SIGNATURE ${manifest}: is not signed by ${a}`)
  const all = run('unsign', 'dist')
  assert.equal([all.status, all.stdout], [0, `removed  ${b}\n`])
  assert.match(all.stderr, 'Nobody vouches for dist now')
  assert.is(run('unsign', 'dist').status, 1)
  assert.match(readFrom(cwd, `dist/${manifest}`), /^\nsha256\n/)
  rmSync(join(cwd, 'dist', manifest))
  assert.match(run('unsign', 'dist').stderr, 'ERR_SIGNEDIMP_MISSING')
})

const asks = 'a person is asked before anything is signed'
if (!hasTerminal) skip(test, asks, 'there is no script command of util-linux')
else
  test(asks, async () => {
    const { cwd } = await release()
    for (const [answer, status] of [
      ['no', 2],
      ['yes', 0],
    ] as const) {
      const ended = await signedimpInTerminal(
        [...signing, '--out', 'a.sig'],
        [['Sign this? Type yes: ', `${answer}\r`]],
        { cwd },
      )
      assert.is(ended.status, status, ended.shown)
      assert.match(ended.shown, /added +assets\/b\.js[^]*Sign this/)
      assert.is(readdirSync(cwd).includes('a.sig'), status === 0)
    }
    const silent = await signedimpInTerminal([...signing, '--yes', '--out', 'a.sig'], [], { cwd })
    assert.is(silent.status, 0)
    assert.not.match(silent.shown, 'Sign this')
  })

test.run()
