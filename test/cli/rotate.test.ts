import { execFileSync } from 'node:child_process'
import { readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { TrustedKey } from '../../src/crypto/key.ts'
import { nodeCrypto } from '../../src/crypto/node.ts'
import { loadPublicKey } from '../../src/keys/public.ts'
import { verifyManifest } from '../../src/manifest/verify.ts'
import { readDocument, rowsOf, sectionOf } from '../support/markdown.ts'
import { skip } from '../support/skip.ts'
import { readFrom, writeInto } from '../tree/folder.ts'
import { hasTerminal, jsonOf, signedimp, signedimpInTerminal } from './run.ts'
import { addKey, appFolder } from './workplace.ts'

const manifest = 'dist/signedimp-manifest.txt'

/** An app, and two keys; `signed` says which of them sign it first. */
async function workplace(signed: string[] = ['old.pem']) {
  const cwd = appFolder()
  const [old, next] = [await addKey(cwd, 'old.pem'), await addKey(cwd, 'new.pem')]
  const run = (line: string) => signedimp(line.split(' '), { cwd })
  for (const key of signed) run(`sign dist --key ${key} --name shop`)
  return { cwd, old, next, run }
}

test('what the old key signed gets the signature of the new one, and keeps its own', async () => {
  const { cwd, old, next, run } = await workplace()
  const before = readFrom(cwd, manifest)
  const { status, stdout, stderr } = run('rotate dist --key old.pem.pub --key new.pem')
  assert.is(status, 0, stderr)
  assert.match(stdout, new RegExp(`signer +${old}\nadded +${next}\n$`))
  assert.is(stderr, 'dist is signed by all of the keys now.\n')
  const after = readFrom(cwd, manifest)
  assert.ok(after.startsWith(before.split('\n')[0]!))
  assert.is(after.split('\n\n')[1], before.split('\n\n')[1])
  assert.is(run('verify dist --key old.pem.pub --key new.pem.pub --threshold 2').status, 0)
  const again = run('rotate dist --key old.pem --key new.pem --json')
  assert.equal(jsonOf(again).added, [])
  assert.is(again.stderr, '')
  assert.is(readFrom(cwd, manifest), after)
})

test('what is not as some key signed it is not signed by another', async () => {
  for (const [change, code] of [
    [(cwd: string) => writeInto(cwd, 'dist/assets/a.js', 'evil'), 'ERR_SIGNEDIMP_FILES'],
    [(cwd: string) => writeInto(cwd, 'dist/new.js', 'evil'), 'ERR_SIGNEDIMP_FILES'],
    [
      (cwd: string) =>
        writeInto(cwd, manifest, readFrom(cwd, manifest).replace('# name: shop', '# name: evil')),
      'ERR_SIGNEDIMP_SIGNATURE',
    ],
    [(cwd: string) => rmSync(join(cwd, manifest)), 'ERR_SIGNEDIMP_MISSING'],
  ] as const) {
    const { cwd, run } = await workplace()
    change(cwd)
    const before = code === 'ERR_SIGNEDIMP_MISSING' ? '' : readFrom(cwd, manifest)
    const result = run('rotate dist --key old.pem --key new.pem --json')
    assert.is(result.status, 1)
    assert.is(jsonOf(result).error.code, code)
    if (before) assert.is(readFrom(cwd, manifest), before)
  }
})

test('a stranger’s signature is no reason to sign', async () => {
  const { cwd, run } = await workplace(['old.pem'])
  await addKey(cwd, 'other.pem')
  const before = readFrom(cwd, manifest)
  const { status, stderr } = run('rotate dist --key new.pem --key other.pem')
  assert.is(status, 1)
  assert.match(stderr, 'ERR_SIGNEDIMP_SIGNATURE')
  const short = run('rotate dist --key old.pem --key new.pem --threshold 2')
  assert.match(short.stderr, 'signed by 1 of 2 keys')
  assert.is(readFrom(cwd, manifest), before)
})

test('the public half of a key that has not signed does not do', async () => {
  const { cwd, run } = await workplace()
  const before = readFrom(cwd, manifest)
  const { status, stderr } = run('rotate dist --key old.pem --key new.pem.pub')
  assert.is(status, 2)
  assert.match(stderr, 'new.pem.pub: is the public half of a key that has not signed')
  assert.is(readFrom(cwd, manifest), before)
})

test('a zip file is rotated as a folder is', async () => {
  const { cwd, old, next, run } = await workplace()
  execFileSync('zip', ['-qr', '../app.zip', '.'], { cwd: join(cwd, 'dist') })
  const { status, stdout, stderr } = run('rotate app.zip --key old.pem.pub --key new.pem')
  assert.is(status, 0, stderr)
  assert.match(stdout, new RegExp(`signer +${old}\nadded +${next}\n$`))
  assert.is(run('verify app.zip --key old.pem.pub --key new.pem.pub --threshold 2').status, 0)
  writeInto(cwd, 'dist/assets/a.js', 'evil')
  execFileSync('zip', ['-q', '../app.zip', 'assets/a.js'], { cwd: join(cwd, 'dist') })
  await addKey(cwd, 'third.pem')
  const before = readFileSync(join(cwd, 'app.zip'))
  const changed = run('rotate app.zip --key old.pem.pub --key third.pem')
  assert.match(changed.stderr, 'ERR_SIGNEDIMP_FILES 1 file is not as signed: assets/a.js changed')
  assert.equal(readFileSync(join(cwd, 'app.zip')), before)
})

test('so many of the keys must have signed before as are asked for, and not none', async () => {
  const { run } = await workplace()
  const none = run('rotate dist --key old.pem --key new.pem --threshold 0')
  assert.equal([none.status, none.stderr.includes('--threshold must be at least 1')], [2, true])
  assert.is(run('rotate dist --key old.pem --key new.pem --threshold 1').status, 0)
})

test('a private key inside the folder is refused', async () => {
  const { cwd, run } = await workplace()
  renameSync(join(cwd, 'new.pem'), join(cwd, 'dist/new.pem'))
  run('sign dist --key old.pem --name shop')
  const { status, stderr } = run('rotate dist --key old.pem.pub --key dist/new.pem')
  assert.is(status, 1)
  assert.match(stderr, 'ERR_SIGNEDIMP_KEY_EXPOSED')
})

const typing = 'a terminal is asked for the password of each key'
if (!hasTerminal) skip(test, typing, 'there is no script command of util-linux')
else
  test(typing, async () => {
    const { cwd } = await workplace()
    await addKey(cwd, 'third.pem', 'three')
    await addKey(cwd, 'fourth.pem', 'four')
    const { status, shown } = await signedimpInTerminal(
      [
        'rotate',
        'dist',
        ...['old.pem.pub', 'third.pem', 'fourth.pem'].flatMap((key) => ['--key', key]),
      ],
      [
        ['Password for third.pem: ', 'three\r'],
        ['Password for fourth.pem: ', 'four\r'],
      ],
      { cwd },
    )
    assert.is(status, 0, shown)
  })

// docs/rotation.md
interface Release {
  pages: TrustedKey[]
  stored: Buffer
}

/** The releases of the table, each signed by its commands. */
async function makeReleases(): Promise<Release[]> {
  const rows = rowsOf(sectionOf(readDocument('docs/rotation.md'), 'From an old key to a new one'))
  const { cwd, run } = await workplace([])
  const releases: Release[] = []
  for (const [, built, then, hold] of rows) {
    writeInto(cwd, 'dist/assets/a.js', `// release ${releases.length}`)
    rmSync(join(cwd, manifest), { force: true })
    const [, key] = /signedImp\('([^']+)'/.exec(built!)!
    assert.is(run(`sign dist --key ${key} --name shop`).status, 0)
    const command = /`signedimp (.+)`/.exec(then!)?.[1]
    if (command) assert.is(run(command).status, 0, command)
    const pages = hold!.split(', ').map((name) => loadPublicKey(join(cwd, `${name}.pem.pub`)))
    releases.push({ pages: await Promise.all(pages), stored: readFileSync(join(cwd, manifest)) })
    // The pages hold what the plugin's call gives them.
    const named = [key, ...(/keys: \['(.+?)'\]/.exec(built!)?.slice(1) ?? [])]
    assert.equal(named.map((file) => file!.split('.')[0]).sort(), hold!.split(', ').sort())
  }
  return releases
}

const accepts = ({ pages }: Release, { stored }: Release): Promise<boolean> =>
  verifyManifest(stored, { keys: pages, threshold: 1, name: 'shop' }, nodeCrypto).then(
    () => true,
    ({ code }) => assert.is(code, 'ERR_SIGNEDIMP_SIGNATURE') as unknown as false,
  )

test('on the documented way no page refuses a build, but those of release 0 the last one', async () => {
  const releases = await makeReleases()
  assert.is(releases.length, 4)
  const refusals: string[] = []
  for (const [page, held] of releases.entries())
    for (const [build, served] of releases.entries())
      if (!(await accepts(held, served))) refusals.push(`${page} of ${build}`)
  // A page two releases ahead of its host is no page on the way.
  assert.equal(refusals.sort(), ['0 of 3', '2 of 0', '3 of 0'])
})

// The end of a release.
test('verify and show warn before a release ends, and not before that', async () => {
  const { run } = await workplace([])
  for (const [days, words] of [
    [400, undefined],
    [15, undefined],
    [13.5, 'Expires in 13 days, at '],
    [0.5, 'Expires in less than a day, at '],
  ] as const) {
    const expires = new Date(Date.now() + days * 86_400_000).toJSON().replace(/\.\d+/, '')
    run(`sign dist --key old.pem --name shop --expires ${expires}`)
    for (const command of ['verify dist --key old.pem.pub', 'show dist']) {
      const { status, stderr } = run(command)
      assert.is(status, 0)
      if (words) assert.match(stderr, `${words}${expires}; from then on every page refuses it.`)
      else assert.not.match(stderr, 'Expires')
    }
  }
})

test('of a release that has ended, show says so, and verify refuses it', async () => {
  const { cwd, run } = await workplace()
  const text = readFrom(cwd, manifest)
  const past = '2020-01-01T00:00:00Z'
  writeInto(cwd, manifest, text.replace('# name: shop', `# name: shop\n# expires: ${past}`))
  assert.match(run('show dist').stderr, `Expired at ${past}: every page refuses it.`)
})

test.run()
