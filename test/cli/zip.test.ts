import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { scratchFolder } from '../support/processes.ts'
import { craftZip } from '../support/zip.ts'
import { jsonOf, signedimp } from './run.ts'
import { addKey } from './workplace.ts'

const page = '<script data-mode="report-only" data-manifest="m">1</script>'

/** A zip file to sign, and two keys. */
async function workplace() {
  const cwd = scratchFolder()
  const [a, b] = [await addKey(cwd, 'a.key'), await addKey(cwd, 'b.key')]
  const app = { name: 'app/a.js', data: 'a' }
  writeFileSync(join(cwd, 'app.zip'), craftZip([app]))
  writeFileSync(join(cwd, 'page.zip'), craftZip([app, { name: 'index.html', data: page }]))
  writeFileSync(join(cwd, 'twice.zip'), craftZip([app, app]))
  return { cwd, a, b, run: (...args: string[]) => signedimp(args, { cwd }) }
}

const sign = ['sign', 'app.zip', '--key', 'a.key', '--name', 'shop', '--build', '7']

test('a zip file is signed, verified and shown', async () => {
  const { run, a } = await workplace()
  const signed = run(...sign)
  assert.is(signed.status, 0, signed.stderr)
  assert.is(signed.stderr, `Signed ${join('app.zip', 'signedimp-manifest.txt')}.\n`)
  assert.match(signed.stdout, `files     1\nsigner    ${a}\n`)
  const verified = run('verify', 'app.zip', '--key', 'a.key.pub', '--name', 'shop')
  assert.is(verified.status, 0)
  assert.is(verified.stderr, 'app.zip is as signed.\n')
  assert.match(verified.stdout, /^name +shop\nbuild +7\nhash +sha256\nfiles +1\nsigner +/)
  const shown = run('show', 'app.zip', '--files')
  assert.is(shown.status, 0)
  assert.match(shown.stdout, 'NOT VERIFIED')
  assert.match(shown.stdout, / app\/a\.js\n$/)
})

test('--json says the same', async () => {
  const { run, a, b } = await workplace()
  assert.equal(jsonOf(run(...sign, '--json')).signer, a)
  const again = jsonOf(run('sign', 'app.zip', '--key', 'b.key', '--json'))
  assert.equal([again.signer, again.kept], [b, [a]])
  const keys = ['--key', 'a.key.pub', '--key', 'b.key.pub', '--threshold', '2']
  assert.equal(jsonOf(run('verify', 'app.zip', ...keys, '--json')), {
    hash: 'sha256',
    name: 'shop',
    build: 7,
    files: 1,
    signers: [a, b],
    pageManifests: [],
    missingSourceMaps: [],
    reportOnly: [],
  })
  const { manifest, reportOnly, signatures } = jsonOf(run('show', 'app.zip', '--json'))
  assert.equal([manifest, reportOnly], [join('app.zip', 'signedimp-manifest.txt'), []])
  assert.equal(
    signatures.map(({ fingerprint }: { fingerprint: string }) => fingerprint),
    [a, b],
  )
})

test('pages in it that refuse nothing are named', async () => {
  const { run } = await workplace()
  assert.is(run('sign', 'page.zip', '--key', 'a.key', '--name', 'shop').status, 0)
  const { stdout, stderr } = run('verify', 'page.zip', '--key', 'a.key.pub')
  assert.match(stdout, 'REPORT-ONLY  index.html: refuses nothing\n')
  assert.match(stderr, 'nothing protects them')
  assert.match(run('show', 'page.zip').stdout, 'REPORT-ONLY  index.html')
})

test('what is refused has status 1 and a code, and no stack', async () => {
  const { cwd, run } = await workplace()
  writeFileSync(join(cwd, 'text'), 'no zip file')
  for (const [args, message] of [
    [['sign', 'twice.zip', '--key', 'a.key', '--name', 'shop'], 'app/a.js: is there twice'],
    [['verify', 'twice.zip', '--key', 'a.key.pub'], 'app/a.js: is there twice'],
    [['show', 'twice.zip'], 'app/a.js: is there twice'],
    [['verify', 'text', '--key', 'a.key.pub'], 'text: is no zip file'],
    [['sign', 'text', '--key', 'a.key', '--name', 'shop'], 'text: is no zip file'],
  ] as const) {
    const { status, stdout, stderr } = run(...args)
    assert.is(status, 1, stderr)
    assert.is(stdout, '')
    assert.match(stderr, `signedimp: ERR_SIGNEDIMP_ZIP ${message}`)
    assert.not.match(stderr, /^ +at /m)
    assert.is(jsonOf(run(...args, '--json')).error.code, 'ERR_SIGNEDIMP_ZIP')
  }
  const unsigned = run('verify', 'app.zip', '--key', 'a.key.pub')
  assert.is(unsigned.status, 1)
  assert.match(unsigned.stderr, 'ERR_SIGNEDIMP_MISSING signedimp-manifest.txt')
})

test('what is not there cannot be looked at', async () => {
  const { run } = await workplace()
  const { status, stderr } = run('verify', 'nowhere.zip', '--key', 'a.key.pub')
  assert.is(status, 2)
  assert.match(stderr, 'nowhere.zip: no such file or folder')
})

test.run()
