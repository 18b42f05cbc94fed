import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { brotliCompressSync } from 'node:zlib'
import { addSigned } from '../../src/tree/add.ts'
import { signDirectory } from '../../src/tree/sign.ts'
import { readVerified, verifyDirectory } from '../../src/tree/verify.ts'
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

// Files that are added to a folder which was verified.

const name = 'signedimp-manifest.txt'
const signer = await newSigner()

async function signed(open: string[] = []) {
  const dir = await folderOf({ 'a.js': 'a', 'index.html': 'old' })
  await signDirectory(dir, signer, { name: 'shop', build: 3 })
  const read = () => readVerified(dir, { keys: [signer.key], threshold: 1 }, name, new Set(open))
  return { dir, read }
}

test('what was added or has other bytes is listed, and nothing else changes', async () => {
  const { dir, read } = await signed()
  const files = new Map([
    ['b.js', 'b'],
    ['index.html', 'new'],
  ])
  assert.is((await read()).read('a.js'), 'a')
  const summary = await addSigned(dir, name, await read(), files, signer)
  assert.equal(summary, { hash: 'sha256', name: 'shop', build: 3, files: 3 })
  const report = await verifyDirectory(dir, [signer.key], { name: 'shop' })
  assert.equal([report.build, report.files], [3, 3])
  assert.is(readFrom(dir, 'index.html'), 'new')
})

test('what somebody changed since it was verified is neither read nor signed', async () => {
  const { dir, read } = await signed()
  const folder = await read()
  writeInto(dir, 'a.js', 'evil')
  writeInto(dir, 'planted.js', 'evil')
  await throwsCode(() => folder.read('a.js'), 'ERR_SIGNEDIMP_LATE_WRITE')
  await addSigned(dir, name, folder, new Map([['b.js', 'b']]), signer)
  assert.not.match(readFrom(dir, name), sha256('evil'))
  const error = await throwsCode(() => verifyDirectory(dir, [signer.key]), 'ERR_SIGNEDIMP_FILES')
  assert.match(error.message, /a\.js changed, planted\.js unlisted/)
})

test('nothing is written when it cannot be signed, or a name is taken', async () => {
  const { dir, read } = await signed()
  const folder = await read()
  const before = contentsOf(dir)
  const broken = { ...signer, sign: () => Promise.reject(new Error('no')) }
  const files = new Map([['b.js', 'b']])
  const error = await addSigned(dir, name, folder, files, broken).catch((caught) => caught)
  assert.is(error.message, 'no')
  const taken = new Map([['A.js', 'b']])
  await throwsCode(() => addSigned(dir, name, folder, taken, signer), 'ERR_SIGNEDIMP_PATH')
  assert.equal(contentsOf(dir), before)
})

test('files outside are written and not listed; then the manifest keeps all its signatures', async () => {
  const { dir: parent } = await signed()
  const dir = join(parent, 'in')
  writeInto(dir, 'a.js', 'a')
  const other = await newSigner()
  for (const each of [other, signer]) await signDirectory(dir, each, { name: 'shop' })
  const before = readFrom(dir, name)
  assert.is(before.split('\n\n')[0]!.split('\n').length, 2)
  const folder = await readVerified(dir, { keys: [signer.key], threshold: 1 }, name, new Set())
  await addSigned(dir, name, folder, new Map([['../page.html', 'page']]), signer)
  assert.is(readFrom(dir, name), before)
  assert.is(readFrom(parent, 'page.html'), 'page')
})

test('compressed copies of the manifest go, page manifests that are there stay', async () => {
  const { dir } = await signed()
  const page = await addPageManifest(dir, signer, ['a.js'])
  await signDirectory(dir, await newSigner())
  await signDirectory(dir, signer)
  const both = readFrom(dir, page)
  writeInto(dir, `${name}.br`, brotliCompressSync(readFrom(dir, name)))
  const folder = await readVerified(dir, { keys: [signer.key], threshold: 1 }, name, new Set())
  assert.equal([...folder.pages.keys()], [page])
  await addSigned(
    dir,
    name,
    folder,
    new Map([
      [page, 'one signature'],
      ['b.js', 'b'],
    ]),
    signer,
  )
  assert.is(readFrom(dir, page), both)
  assert.not.ok(existsSync(join(dir, `${name}.br`)))
  await verifyDirectory(dir, [signer.key])
})

test('only bytes of files that are named may differ', async () => {
  const { dir, read } = await signed(['index.html', 'new.html', 'gone.html'])
  writeInto(dir, 'index.html', 'other')
  writeInto(dir, 'new.html', 'new')
  assert.ok((await read()).main.files.has('index.html'))
  writeInto(dir, 'a.js', 'other')
  await throwsCode(read, 'ERR_SIGNEDIMP_FILES')
})

test.run()
