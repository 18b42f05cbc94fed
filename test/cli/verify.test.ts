import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { skip } from '../support/skip.ts'
import { writeInto } from '../tree/folder.ts'
import { hasTerminal, jsonOf, signedimp, signedimpInTerminal } from './run.ts'
import { appFolder, signedApp } from './workplace.ts'

/** An app, and `signedimp verify` of it. */
async function app() {
  const signed = await signedApp()
  const verify = (...args: string[]) => signedimp(['verify', 'dist', ...args], { cwd: signed.cwd })
  return { ...signed, verify }
}

test('what is as signed passes, and it is told what it is', async () => {
  const { a, verify } = await app()
  const { status, stdout, stderr } = verify('--key', 'a.key.pub', '--name', 'shop', '--build', '7')
  assert.is(status, 0, stderr)
  assert.match(
    stdout,
    new RegExp(`^name +shop\\nbuild +7\\nhash +sha256\\nfiles +2\\nsigner +${a}\\n$`),
  )
  assert.is(stderr, 'dist is as signed.\n')
})

test('pages that refuse nothing are named, and it is said that nothing protects them', async () => {
  const { cwd, verify } = await app()
  writeInto(cwd, 'dist/index.html', '<script data-mode="report-only" data-manifest="m">1</script>')
  assert.is(signedimp(['sign', 'dist', '--key', 'a.key'], { cwd }).status, 0)
  const { status, stdout, stderr } = verify('--key', 'a.key.pub', '--name', 'shop')
  assert.is(status, 0)
  assert.match(stdout, /\nREPORT-ONLY +index\.html: refuses nothing\n$/)
  assert.match(stderr, "Pages of mode 'report-only' are in it: nothing protects them.\n")
  assert.equal(jsonOf(verify('--key', 'a.key.pub', '--json')).reportOnly, ['index.html'])
})

test('what keygen makes, sign signs and verify verifies', () => {
  const cwd = appFolder()
  const env = { SIGNEDIMP_PASSWORD: 'pw' }
  for (const args of [
    ['keygen', 'release.key'],
    ['sign', 'dist', '--key', 'release.key', '--name', 'shop'],
    ['verify', 'dist', '--key', 'release.key.pub', '--name', 'shop'],
  ])
    assert.is(signedimp(args, { cwd, env }).status, 0, args[0])
})

test('without --name it is said which app was accepted', async () => {
  const { verify } = await app()
  assert.match(verify('--key', 'a.key.pub').stderr, 'as signed for "shop"; give --name')
})

test('--json is one object, and nothing else is said', async () => {
  const { a, verify } = await app()
  const result = verify('--key', 'a.key.pub', '--json')
  assert.is(result.status, 0)
  assert.is(result.stderr, '')
  assert.equal(jsonOf(result), {
    hash: 'sha256',
    name: 'shop',
    build: 7,
    files: 2,
    signers: [a],
    pageManifests: [],
    missingSourceMaps: [],
    reportOnly: [],
  })
})

test('source maps that were deleted are told, and no fault', async () => {
  const { cwd, verify } = await app()
  writeInto(cwd, 'dist/assets/a.js.map', '{}')
  writeInto(cwd, 'dist/assets/b.css.map', '{}')
  assert.is(signedimp(['sign', 'dist', '--key', 'a.key'], { cwd }).status, 0)
  assert.not.match(verify('--key', 'a.key.pub').stderr, 'map')
  rmSync(join(cwd, 'dist/assets/a.js.map'))
  assert.match(verify('--key', 'a.key.pub').stderr, '1 source map is not there any more.\n')
  rmSync(join(cwd, 'dist/assets/b.css.map'))
  const { status, stdout, stderr } = verify('--key', 'a.key.pub', '--name', 'shop')
  assert.is(status, 0)
  assert.match(stdout, /\ndeleted map +assets\/a\.js\.map\ndeleted map +assets\/b\.css\.map\n$/)
  assert.is(stderr, 'dist is as signed.\n2 source maps are not there any more.\n')
  assert.equal(jsonOf(verify('--key', 'a.key.pub', '--json')).missingSourceMaps, [
    'assets/a.js.map',
    'assets/b.css.map',
  ])
  assert.is(signedimp(['sign', 'dist', '--key', 'a.key'], { cwd }).status, 0)
  assert.equal(jsonOf(verify('--key', 'a.key.pub', '--json')).missingSourceMaps, [])
})

test('every file that differs is printed, and refused with 1', async () => {
  const { cwd, verify } = await app()
  writeInto(cwd, 'dist/assets/a.js', 'evil')
  rmSync(join(cwd, 'dist/index.html'))
  writeInto(cwd, 'dist/planted.js', '')
  const { status, stdout, stderr } = verify('--key', 'a.key.pub')
  assert.is(status, 1)
  assert.is(stdout, 'changed   assets/a.js\nmissing   index.html\nunlisted  planted.js\n')
  assert.match(stderr, /^signedimp: ERR_SIGNEDIMP_FILES 3 files are not as signed: .*\n$/)
  const result = verify('--key', 'a.key.pub', '--json')
  assert.is(result.status, 1)
  assert.is(jsonOf(result).error.code, 'ERR_SIGNEDIMP_FILES')
  assert.equal(jsonOf(result).error.problems, [
    { path: 'assets/a.js', problem: 'changed' },
    { path: 'index.html', problem: 'missing' },
    { path: 'planted.js', problem: 'unlisted' },
  ])
})

test('several keys are several --key, and --threshold counts them', async () => {
  const { cwd, a, b, verify } = await app()
  const keys = ['--key', 'a.key.pub', '--key', 'b.key.pub']
  assert.is(verify(...keys).status, 0)
  const one = verify(...keys, '--threshold', '2')
  assert.is(one.status, 1)
  assert.match(one.stderr, 'ERR_SIGNEDIMP_SIGNATURE')
  signedimp(['sign', 'dist', '--key', 'b.key'], { cwd })
  const both = verify(...keys, '--threshold', '2', '--json')
  assert.equal(jsonOf(both).signers, [a, b])
  const same = verify('--key', 'a.key.pub', '--key', 'a.key.pub', '--threshold', '2')
  assert.is(same.status, 2)
  assert.match(same.stderr, 'more than the number of different keys, 1')
})

test('another app, an older build, another key and no manifest are refused with 1', async () => {
  const { cwd, verify } = await app()
  for (const [run, code] of [
    [verify('--key', 'a.key.pub', '--name', 'bank'), 'NAME'],
    [verify('--key', 'a.key.pub', '--build', '8'), 'ROLLBACK'],
    [verify('--key', 'b.key.pub'), 'SIGNATURE'],
    [verify('--key', 'a.key.pub', '--manifest', 'other.txt'), 'MISSING'],
    [signedimp(['verify', '.', '--key', 'a.key.pub'], { cwd }), 'MISSING'],
  ] as const) {
    assert.is(run.status, 1, run.stderr)
    assert.is(run.stdout, '')
    assert.match(run.stderr, `signedimp: ERR_SIGNEDIMP_${code}`)
  }
})

test('what cannot be looked at ends with 2', async () => {
  const { cwd, verify } = await app()
  writeInto(cwd, 'text', 'no key')
  for (const [run, message] of [
    [
      signedimp(['verify', 'nowhere', '--key', 'a.key.pub'], { cwd }),
      'nowhere: no such file or folder',
    ],
    [verify('--key', 'nowhere.pub'), 'nowhere.pub'],
    [verify('--key', 'text'), 'ERR_SIGNEDIMP_KEY text'],
    [verify('--key', 'a.key'), 'holds a private key where a public key belongs'],
  ] as const) {
    assert.is(run.status, 2, run.stderr)
    assert.is(run.stdout, '')
    assert.match(run.stderr, message)
  }
})

if (process.platform !== 'win32')
  test('names of files cannot play with the terminal or fake a line', async () => {
    const { cwd, verify } = await app()
    writeInto(cwd, 'dist/\x1b[2J\nchanged   x', '')
    writeInto(cwd, 'dist/\u202etxt.js', '')
    const { stdout, stderr } = verify('--key', 'a.key.pub')
    assert.match(
      stdout,
      /^unlisted {2}\\u001b\[2J\\u000achanged {3}x \(.*\)\nunlisted {2}\\u202etxt\.js \(.*\)\n$/,
    )
    for (const char of '\x1b\u202e') assert.not.match(stdout + stderr, char)
    const problems = jsonOf(verify('--key', 'a.key.pub', '--json')).error.problems
    assert.equal(
      problems.map(({ path }: { path: string }) => path),
      ['\x1b[2J\nchanged   x', '\u202etxt.js'],
    )
  })
else skip(test, 'names of files cannot play with the terminal', 'Windows has no such names')

test('colours are for terminals only, whatever CI or FORCE_COLOR say', async () => {
  const { cwd } = await app()
  const env = { CI: 'true', FORCE_COLOR: '1' }
  const { stdout, stderr } = signedimp(['verify', '.', '--key', 'a.key.pub'], { cwd, env })
  assert.not.match(stdout + stderr, '\x1b')
})

const colours = 'a terminal gets colours, unless NO_COLOR is set'
if (hasTerminal)
  test(colours, async () => {
    const { cwd } = await app()
    const args = ['verify', '.', '--key', 'a.key.pub']
    const coloured = await signedimpInTerminal(args, [], { cwd })
    assert.is(coloured.status, 1)
    assert.match(coloured.shown, '\x1b[31msignedimp: ERR_SIGNEDIMP_MISSING')
    const plain = await signedimpInTerminal(args, [], { cwd, env: { NO_COLOR: '1' } })
    assert.match(plain.shown, 'signedimp: ERR_SIGNEDIMP_MISSING')
    assert.not.match(plain.shown, '\x1b')
  })
else skip(test, colours, 'there is no script command of util-linux')

test.run()
