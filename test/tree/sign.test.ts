import { readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { nodeCrypto } from '../../src/crypto/node.ts'
import { formatManifest } from '../../src/manifest/format.ts'
import { signText, storeManifest, type Signer } from '../../src/manifest/sign.ts'
import { splitManifest, verifyManifest } from '../../src/manifest/verify.ts'
import type { FilesRefusedError } from '../../src/tree/refused.ts'
import { signDirectory } from '../../src/tree/sign.ts'
import { throwsCode } from '../support/throws.ts'
import {
  addPageManifest,
  contentsOf,
  folderOf,
  newSigner,
  readFrom,
  sha256,
  writeInto,
} from './folder.ts'

const signer = await newSigner()
const second = await newSigner()
const manifestName = 'signedimp-manifest.txt'

const textOf = (dir: string, name = manifestName) => readFrom(dir, name).split('\n\n')[1]!
const signersOf = (dir: string, name = manifestName) =>
  splitManifest(readFileSync(join(dir, name))).signatures.map(({ fingerprint }) => fingerprint)

/** Both signatures have to be there and right. */
const verifyAll = (dir: string, signers: Signer[], name = manifestName) => {
  const trust = { keys: signers.map(({ key }) => key), threshold: signers.length }
  return verifyManifest(readFileSync(join(dir, name)), trust, nodeCrypto)
}

const refusesWith = async (work: () => Promise<unknown>, message: RegExp) => {
  const error = (await work().catch((caught) => caught)) as Error
  assert.instance(error, TypeError)
  assert.match(error.message, message)
}

/** Asserts that signing fails, and that it changed nothing. */
async function refusesUntouched(dir: string, code: string, options = {}, by = signer) {
  const before = contentsOf(dir)
  const error = await throwsCode(() => signDirectory(dir, by, options), code)
  assert.equal(contentsOf(dir), before)
  return error
}

test('every file but the manifest is listed with its hash', async () => {
  const dir = await folderOf({
    'index.html': '<p>',
    'assets/a.js': 'a',
    'assets/a.js.map': '{}',
    '.x': '',
  })
  const report = await signDirectory(dir, signer, { name: 'shop', build: 3 })
  assert.is(
    textOf(dir),
    [
      'sha256',
      '# signedimp: 1',
      '# name: shop',
      '# build: 3',
      `${sha256('')} .x`,
      `${sha256('a')} assets/a.js`,
      `${sha256('{}')} assets/a.js.map`,
      `${sha256('<p>')} index.html`,
    ].join('\n'),
  )
  assert.equal(report, {
    manifest: manifestName,
    hash: 'sha256',
    name: 'shop',
    build: 3,
    files: 4,
    signer: signer.key.fingerprint,
    kept: [],
    dropped: [],
    pageManifests: [],
    droppedImports: [],
    removedCopies: [],
  })
  await verifyAll(dir, [signer])
})

test('a file URL, another manifest’s name and another hash type work', async () => {
  const dir = await folderOf({ 'a.js': 'a' })
  const report = await signDirectory(pathToFileURL(dir), signer, {
    name: 'shop',
    hash: 'sha512',
    manifest: 'list.txt',
    expires: '2100-01-01T00:00:00Z',
  })
  assert.match(textOf(dir, 'list.txt'), /^sha512\n# signedimp: 1\n# name: shop\n# expires: 2100-/)
  assert.is(report.expires, '2100-01-01T00:00:00Z')
})

test('a second key adds its signature, a key that signs again replaces its own', async () => {
  const dir = await folderOf({ 'a.js': 'a' })
  await signDirectory(dir, signer, { name: 'shop', build: 3 })
  const text = textOf(dir)
  assert.equal((await signDirectory(dir, second)).kept, [signer.key.fingerprint])
  assert.is(textOf(dir), text)
  await verifyAll(dir, [signer, second])
  assert.equal((await signDirectory(dir, signer)).kept, [second.key.fingerprint])
  assert.equal(signersOf(dir), [second.key.fingerprint, signer.key.fingerprint])
  await verifyAll(dir, [signer, second])
})

for (const [what, change, options] of [
  ['a file changed', (dir: string) => writeInto(dir, 'a.js', 'b'), {}],
  ['a file came', (dir: string) => writeInto(dir, 'b.js', ''), {}],
  ['the build is another', () => {}, { build: 4 }],
] as const)
  test(`when ${what}, no old signature stays, and the directives do`, async () => {
    const dir = await folderOf({ 'a.js': 'a' })
    await signDirectory(dir, signer, {
      name: 'shop',
      build: 3,
      expires: '2100-01-01T00:00:00Z',
      hash: 'sha384',
    })
    change(dir)
    const report = await signDirectory(dir, second, options)
    assert.equal(signersOf(dir), [second.key.fingerprint])
    assert.equal([report.kept, report.dropped], [[], [signer.key.fingerprint]])
    const build = 'build' in options ? options.build : 3
    assert.match(
      textOf(dir),
      `sha384\n# signedimp: 1\n# name: shop\n# build: ${build}\n# expires: 2100-01-01T00:00:00Z\n`,
    )
  })

test('a malformed manifest is replaced', async () => {
  const dir = await folderOf({ 'a.js': 'a', [manifestName]: 'no manifest' })
  await signDirectory(dir, signer, { name: 'shop' })
  assert.equal([...(await verifyAll(dir, [signer])).files.keys()], ['a.js'])
})

test('recorded imports stay with modules that did not change', async () => {
  const files = {
    'a.js': 'import"./b.js"',
    'b.js': '1',
    'c.js': 'import"./b.js"',
    'd.js': 'import"./gone.js"',
    'e.js': 'import"nam";import"./gone.js"',
    'gone.js': '',
  }
  const dir = await folderOf(files)
  const edge = (path: string) => [{ start: 7, end: 13, path }]
  const text = new TextEncoder().encode(
    formatManifest({
      hash: 'sha256',
      name: 'shop',
      imports: new Map([
        ['a.js', edge('b.js')],
        ['c.js', edge('b.js')],
        ['d.js', edge('gone.js')],
        [
          'e.js',
          [
            { start: 7, end: 10, path: 'e.js' },
            { start: 19, end: 28, path: 'gone.js' },
          ],
        ],
      ]),
      files: new Map(Object.entries(files).map(([path, text]) => [path, sha256(text)])),
    }),
  )
  writeInto(dir, manifestName, storeManifest([await signText(text, signer)], text))
  assert.equal((await signDirectory(dir, second)).kept, [signer.key.fingerprint])
  writeInto(dir, 'c.js', 'import"./x.js"')
  rmSync(join(dir, 'gone.js'))
  const report = await signDirectory(dir, signer, { hash: 'sha512' })
  assert.equal(report.droppedImports, ['c.js', 'd.js'])
  // What only a page gives a meaning keeps a module from being linked in memory, whatever becomes of its text.
  const left = [{ start: 7, end: 10, path: 'e.js' }]
  const { imports } = await verifyAll(dir, [signer])
  assert.equal(
    [...imports],
    [
      ['a.js', edge('b.js')],
      ['e.js', left],
    ],
  )
})

test('an expired date is not signed, given or kept', async () => {
  const dir = await folderOf({ 'a.js': 'a' })
  await refusesUntouched(dir, 'ERR_SIGNEDIMP_EXPIRED', {
    name: 'shop',
    expires: '2001-01-01T00:00:00Z',
  })
  writeInto(
    dir,
    manifestName,
    '\nsha256\n# signedimp: 1\n# name: shop\n# expires: 2001-01-01T00:00:00Z',
  )
  await refusesUntouched(dir, 'ERR_SIGNEDIMP_EXPIRED')
})

test('the name is the one given, else the manifest’s, else package.json’s', async () => {
  const dir = await folderOf({ 'a.js': 'a' })
  assert.is((await signDirectory(dir, signer)).name, 'signedimp')
  assert.is((await signDirectory(dir, signer, { name: 'shop' })).name, 'shop')
  assert.is((await signDirectory(dir, signer)).name, 'shop')
})

test('links, and names that a host takes for one, are refused with nothing written', async () => {
  const links = await folderOf({ 'a.js': '' })
  symlinkSync('a.js', join(links, 'b.js'))
  await refusesUntouched(links, 'ERR_SIGNEDIMP_PATH', { name: 'shop' })
  const names = await folderOf({ 'a.js': '', 'A.js': '' })
  const error = await refusesUntouched(names, 'ERR_SIGNEDIMP_PATH', { name: 'shop' })
  assert.match(error.message, /A\.js.*a\.js|a\.js.*A\.js/)
  const own = await folderOf({ 'SignedImp-Manifest.txt': '' })
  await refusesUntouched(own, 'ERR_SIGNEDIMP_PATH', { name: 'shop' })
})

test('a file that changes while it is hashed is refused', async () => {
  const dir = await folderOf({ 'a.js': 'a', 'b.js': 'b' })
  const progress = (done: number) => done === 2 && writeInto(dir, 'a.js', 'z')
  const work = () => signDirectory(dir, signer, { name: 'shop', progress })
  await throwsCode(work, 'ERR_SIGNEDIMP_LATE_WRITE')
  assert.equal(Object.keys(contentsOf(dir)).length, 2)
})

test('a signer that fails leaves the folder as it was', async () => {
  const dir = await folderOf({ 'a.js': 'a' })
  await signDirectory(dir, signer, { name: 'shop' })
  await addPageManifest(dir, signer, ['a.js'])
  let calls = 0
  const failing: Signer = {
    key: second.key,
    sign: (text) => {
      if (++calls === 2) throw Object.assign(new Error('no token'), { code: 'HSM' })
      return second.sign(text)
    },
  }
  await refusesUntouched(dir, 'HSM', {}, failing)
})

test('page manifests get the signature of every key that signs', async () => {
  const dir = await folderOf({ 'index.html': '<p>', 'a.js': 'a' })
  const page = await addPageManifest(dir, signer, ['a.js'], { build: 3 })
  const older = await addPageManifest(dir, signer, ['a.js'], { build: 2, hash: 'sha256' })
  const report = await signDirectory(dir, signer, { name: 'shop', build: 3 })
  assert.equal(report.pageManifests, [page, older].sort())
  assert.equal(signersOf(dir, page), [signer.key.fingerprint])
  await signDirectory(dir, second)
  for (const name of [page, older, manifestName]) await verifyAll(dir, [signer, second], name)
  assert.not.match(textOf(dir), page)
})

for (const [what, spoil, reason, change] of [
  ['lists a file that changed', (dir: string) => writeInto(dir, 'a.js', 'b'), 'a.js changed'],
  [
    'lists a file that is not there',
    () => {},
    'gone.js missing',
    { files: new Map([['gone.js', sha256('')]]) },
  ],
  ['is for another app', () => {}, 'it is for "bank", not for "shop"', { name: 'bank' }],
  ['is of a later build', () => {}, 'it is of build 9, the folder of 3', { build: 9 }],
  [
    'is of another text than its name says',
    (dir: string, page: string) =>
      writeInto(dir, page, readFrom(dir, page).replace('# name', '# build: 1\n# name')),
    'ERR_SIGNEDIMP_MANIFEST_INVALID',
  ],
  [
    'is not named by its hash',
    (dir: string, page: string) =>
      writeInto(dir, 'signedimp-manifest.0123456789abcdef.txt', readFrom(dir, page)),
    'it is not named by the hash of its text',
  ],
] as [string, (dir: string, page: string) => void, string, object?][])
  test(`a page manifest that ${what} is refused by name, and nothing is signed`, async () => {
    const dir = await folderOf({ 'a.js': 'a' })
    const page = await addPageManifest(dir, signer, ['a.js'], change)
    spoil(dir, page)
    const error = await refusesUntouched(
      dir,
      'ERR_SIGNEDIMP_FILES',
      { name: 'shop', build: 3 },
      second,
    )
    const [problem] = (error as unknown as FilesRefusedError).problems
    assert.match(problem!.path, /^signedimp-manifest\.[0-9a-f]{16}\.txt$/)
    assert.ok(problem!.reason!.includes(reason), problem!.reason)
  })

test('mistakes of a caller are TypeErrors that name the option', async () => {
  const dir = await folderOf({ 'a.js': 'a' })
  const wrong = (options: object) => () => signDirectory(dir, signer, options)
  await refusesWith(wrong({ nme: 'shop' }), /"nme" is no option/)
  await refusesWith(wrong({ constructor: 1 }), /"constructor" is no option/)
  await refusesWith(wrong({ name: 'two\nlines' }), /"name" must be/)
  await refusesWith(wrong({ name: 'shop', build: 1.5 }), /"build" must be/)
  await refusesWith(wrong({ name: 'shop', build: '1' }), /"build" must be/)
  await refusesWith(wrong({ name: 'shop', expires: '2100-01-01' }), /"expires" must be/)
  await refusesWith(wrong({ name: 'shop', hash: 'md5' }), /"hash" must be/)
  await refusesWith(wrong({ name: 'shop', manifest: '../m.txt' }), /"manifest" must be/)
  await refusesWith(() => signDirectory('', signer, { name: 'shop' }), /"dir" must be/)
  assert.equal(Object.keys(contentsOf(dir)), [join(dir, 'a.js')])
})

test.run()
