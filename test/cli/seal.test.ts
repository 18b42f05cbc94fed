import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { app } from '../seal/sealed.ts'
import { scratchFolder } from '../support/processes.ts'
import { skip } from '../support/skip.ts'
import { contentsOf, readFrom, writeInto } from '../tree/folder.ts'
import { hasTerminal, jsonOf, signedimp, signedimpInTerminal, signedimpPiped } from './run.ts'
import { addKey } from './workplace.ts'

/** The app in `dist`, and the keys `a.key`, `b.key` and, with the password "secret", `c.key`. */
async function workplace() {
  const cwd = scratchFolder()
  for (const [path, text] of Object.entries(app)) writeInto(cwd, `dist/${path}`, text)
  writeInto(cwd, 'package.json', '{"name":"shop"}')
  const a = await addKey(cwd, 'a.key')
  await addKey(cwd, 'b.key')
  const run = (...args: string[]) => signedimp(args, { cwd })
  return { cwd, a, run }
}

test('seal, verify and unseal', async () => {
  const { cwd, a, run } = await workplace()
  const before = contentsOf(join(cwd, 'dist'))
  const sealed = run('seal', 'dist', '--key', 'a.key', '--build', '3')
  assert.is(sealed.status, 0, sealed.stderr)
  assert.match(
    sealed.stdout,
    new RegExp(
      `^manifest +signedimp-manifest\\.txt\\nname +shop\\nbuild +3\\nkey +${a}\\nbase +/\\npage +index\\.html\\nmodules +3\\nchanged +assets/dep\\.js\\n[^]*\\nadded +signedimp-runtime-[0-9a-f]{16}\\.js\\n[^]*\\nbootstrap +'sha256-.+'\\n$`,
    ),
  )
  assert.match(
    sealed.stderr,
    /^Sealed dist for "shop", and verified dist\/signedimp-manifest\.txt\. /,
  )
  const verified = run('verify', 'dist', '--key', 'a.key.pub', '--name', 'shop', '--build', '3')
  assert.is(verified.status, 0, verified.stderr)
  const unsealed = run('unseal', 'dist', '--key', 'a.key.pub')
  assert.is(unsealed.status, 0, unsealed.stderr)
  assert.match(unsealed.stdout, /^restored +assets\/dep\.js\n[^]*removed +signedimp-seal\.json\n$/)
  assert.is(unsealed.stderr, 'dist is as it was before it was sealed.\n')
  assert.equal(contentsOf(join(cwd, 'dist')), before)
})

test('a folder that is sealed already is told to be so', async () => {
  const { cwd, run } = await workplace()
  run('seal', 'dist', '--key', 'a.key')
  const before = contentsOf(cwd)
  const again = run('seal', 'dist', '--key', 'a.key')
  assert.is(again.status, 0)
  assert.is(
    again.stderr,
    'dist is sealed already for "shop", and nothing changed since: nothing was written.\n',
  )
  assert.equal(contentsOf(cwd), before)
  writeInto(cwd, 'dist/assets/lazy.js', 'changed')
  const changed = run('seal', 'dist', '--key', 'a.key')
  assert.is(changed.status, 1)
  assert.match(changed.stdout, /^changed +assets\/lazy\.js \(since the folder was sealed\)\n/)
  assert.match(changed.stderr, 'ERR_SIGNEDIMP_FILES')
})

test('without a key, a one-time key is used, and told of', async () => {
  const { run } = await workplace()
  assert.is(
    run('seal', 'dist', '--dry-run').stderr,
    'dist can be sealed for "shop": nothing was written.\n',
  )
  const { status, stderr } = run('seal', 'dist')
  assert.is(status, 0, stderr)
  assert.match(
    stderr,
    /\nONE-TIME KEY: it is forgotten now\. Nobody can ever sign this folder again/,
  )
  assert.match(run('unseal', 'dist').stderr, 'as its own record has it; no key was asked')
})

test('an empty --key means no one-time key', async () => {
  const { cwd, run } = await workplace()
  const before = contentsOf(cwd)
  const { status, stderr } = run('seal', 'dist', '--key', '')
  assert.equal([status, stderr.split('\n')[0]], [2, 'signedimp: --key is empty'])
  assert.equal(contentsOf(cwd), before)
})

test('with --json, one object is printed', async () => {
  const { cwd, a, run } = await workplace()
  const dry = jsonOf(run('seal', 'dist', '--key', 'a.key', '--json', '--dry-run'))
  assert.ok(!existsSync(join(cwd, 'dist/signedimp-seal.json')))
  const sealed = run('seal', 'dist', '--key', 'a.key', '--json')
  assert.is(sealed.stderr, '')
  const data = jsonOf(sealed)
  assert.equal(data, { ...dry, dryRun: false })
  const { name, fingerprints, pages, modules, base, unverified, oneTimeKey, unchanged } = data
  assert.equal(
    { name, fingerprints, pages, modules, base, unverified, oneTimeKey, unchanged },
    {
      name: 'shop',
      fingerprints: [a],
      pages: ['index.html'],
      modules: 3,
      base: '/',
      unverified: [],
      oneTimeKey: false,
      unchanged: false,
    },
  )
  const { restored, removed, verified } = jsonOf(run('unseal', 'dist', '--json'))
  assert.equal([restored, verified], [data.changed, false])
  assert.is(removed.length, data.added.length + 2)
})

test('all flags are heeded', async () => {
  const { cwd, run } = await workplace()
  writeInto(cwd, 'dist/worker.js', 'onmessage=()=>{}')
  const flags = '--name other --build 7 --expires 2090-01-01T00:00:00Z --hash sha384 --base /x/'
  writeInto(cwd, 'dist/index.html', app['index.html']!.replaceAll('"/assets', '"/x/assets'))
  const more = '--accept b.key.pub --threshold 2 --inline false --tags --unverified worker.js'
  const sealed = run('seal', 'dist', '--key', 'a.key', ...flags.split(' '), ...more.split(' '))
  assert.is(sealed.status, 0, sealed.stderr)
  assert.match(sealed.stdout, /\nUNVERIFIED +worker\.js: code that is no module/)
  assert.match(sealed.stderr, 'Pages need 2 signatures; add the others with signedimp sign.')
  const html = readFrom(cwd, 'dist/index.html')
  assert.match(html, /data-tags="signedimp-tags-/)
  assert.match(html, /<script defer src="\/x\/signedimp-[0-9a-f]{16}\.js" integrity="sha384-/)
  const text = readFrom(cwd, 'dist/signedimp-manifest.txt')
  assert.match(
    text,
    /\n\nsha384\n# signedimp: 1\n# name: other\n# build: 7\n# expires: 2090-01-01T00:00:00Z\n/,
  )
  assert.is(run('sign', 'dist', '--key', 'b.key').status, 0)
  const keys = ['--key', 'a.key.pub', '--key', 'b.key.pub', '--threshold', '2']
  assert.is(run('verify', 'dist', ...keys).status, 0)
})

for (const [args, message] of [
  [['seal'], '<dir> is missing'],
  [['seal', 'dist', '--base', 'x'], '--base must be a path or URL that ends in a slash'],
  [['seal', 'dist', '--threshold', '2'], '--threshold must be a whole number from 1 to 1'],
  [['seal', 'dist', '--threshold', '0'], '--threshold must be a whole number of at least 1'],
  [['seal', 'dist', '--expires', 'soon'], '--expires must be a Date or a date text'],
  [['seal', 'dist', '--unverified', '*'], '--unverified must be'],
  [['seal', 'dist', '--manifest', 'a/b.txt'], '--manifest must be a file name'],
  [['seal', 'dist', '--build', 'x'], '--build must be a whole number'],
  [['seal', 'dist', '--key', 'missing.key'], 'missing.key: no such file or folder'],
  [['seal', 'missing'], 'missing: no such file or folder'],
  [['seal', 'dist', '--tags', '--base', './'], 'signedimp: --tags needs the place of the files'],
  [['seal', 'dist', '--pure'], 'signedimp: --pure needs keys that are all RSA'],
  [['unseal'], '<dir> is missing'],
] as const)
  test(`refused, with status 2 and no stack: signedimp ${args.join(' ')}`, async () => {
    const { cwd, run } = await workplace()
    const before = contentsOf(cwd)
    const { status, stdout, stderr } = run(...args)
    assert.equal([status, stdout], [2, ''])
    assert.match(stderr, message)
    assert.not.match(stderr, /\n +at /)
    assert.equal(contentsOf(cwd), before)
  })

test('a key inside the folder is refused', async () => {
  const { cwd, run } = await workplace()
  await addKey(cwd, 'dist/own.key')
  const { status, stderr } = run('seal', 'dist', '--key', 'dist/own.key')
  assert.is(status, 1)
  assert.match(stderr, 'ERR_SIGNEDIMP_KEY_EXPOSED')
})

test('a copy of the key inside the folder is refused', async () => {
  const { cwd, run } = await workplace()
  writeInto(cwd, 'dist/notes.txt', readFrom(cwd, 'a.key'))
  const { status, stderr } = run('seal', 'dist', '--key', 'a.key')
  assert.is(status, 1)
  assert.match(stderr, 'ERR_SIGNEDIMP_KEY_EXPOSED notes.txt')
})

test('the key may come through a pipe', async () => {
  const { cwd, a } = await workplace()
  const args = ['seal', 'dist', '--key', '/dev/stdin', '--json']
  const { fingerprints } = jsonOf(signedimpPiped('a.key', args, { cwd }))
  assert.equal(fingerprints, [a])
})

test('a folder that was never sealed is refused', async () => {
  const { run } = await workplace()
  const { status, stderr } = run('unseal', 'dist')
  assert.is(status, 1)
  assert.match(stderr, 'ERR_SIGNEDIMP_MISSING signedimp-seal.json')
})

test('what a page needs and nothing checks is refused by name', async () => {
  const { cwd, run } = await workplace()
  writeInto(cwd, 'dist/worker.js', 'onmessage=()=>{}')
  const { status, stderr } = run('seal', 'dist', '--key', 'a.key')
  assert.is(status, 1)
  assert.match(stderr, /accept it by name: --unverified 'worker\.js'\n/)
})

test('a seal that could not be written to the end says how far it came', async () => {
  const { cwd, run } = await workplace()
  // A folder of the name that the manifest needs, made when everything before it is written.
  const before = contentsOf(join(cwd, 'dist'))
  run('seal', 'dist', '--key', 'a.key')
  rmSync(join(cwd, 'dist/signedimp-manifest.txt'))
  const { status, stderr } = run('seal', 'dist', '--key', 'a.key')
  assert.is(status, 1)
  assert.match(stderr, 'was not written to the end; run signedimp unseal')
  assert.is(run('unseal', 'dist').status, 0)
  assert.equal(contentsOf(join(cwd, 'dist')), before)
})

if (hasTerminal)
  test('in a terminal, the password of the key is asked for', async () => {
    const { cwd } = await workplace()
    await addKey(cwd, 'c.key', 'secret')
    const args = ['seal', 'dist', '--key', 'c.key']
    const answers: [string, string][] = [['Password for c.key:', 'secret\n']]
    const { status, shown } = await signedimpInTerminal(args, answers, { cwd })
    assert.is(status, 0, shown)
    assert.match(shown, 'Sealed dist for "shop"')
    assert.not.match(shown, 'secret')
  })
else skip(test, 'in a terminal, the password of the key is asked for', 'script of util-linux')

test.run()
