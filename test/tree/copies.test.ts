import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as zlib from 'node:zlib'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { folderContents } from '../../src/tree/contents.ts'
import { findStaleCopies, reasonAgainstCopy } from '../../src/tree/copies.ts'
import { signDirectory } from '../../src/tree/sign.ts'
import { verifyDirectory } from '../../src/tree/verify.ts'
import { throwsCode } from '../support/throws.ts'
import { addPageManifest, contentsOf, folderOf, newSigner, readFrom, writeInto } from './folder.ts'

const { brotliCompressSync, gzipSync } = zlib
const signer = await newSigner()
const second = await newSigner()
const manifestName = 'signedimp-manifest.txt'
const big = Buffer.from(Array.from({ length: 1 << 19 }, (_, at) => (at * at) % 251))

const isStale = async (original: string | Buffer, copy: Buffer, end = 'gz') => {
  const dir = await folderOf({})
  writeInto(dir, 'a.js', original)
  writeInto(dir, `a.js.${end}`, copy)
  return (await findStaleCopies(folderContents(dir), ['a.js', `a.js.${end}`])).length > 0
}

for (const [end, compress] of [
  ['gz', gzipSync],
  ['br', brotliCompressSync],
] as const)
  for (const [what, original] of [
    ['an empty file', Buffer.alloc(0)],
    ['a small file', Buffer.from('console.log(1)')],
    ['a file of half a megabyte', big],
  ] as const)
    test(`.${end} of ${what}: the same bytes pass, and others do not`, async () => {
      const others = [
        Buffer.concat([original, Buffer.from('x')]),
        original.subarray(0, -1),
        Buffer.from(original.map((byte, at) => (at === original.length - 1 ? byte ^ 1 : byte))),
      ].filter((other) => !other.equals(original))
      assert.not.ok(await isStale(original, compress(original), end))
      for (const other of others) assert.ok(await isStale(original, compress(other), end))
      assert.ok(await isStale(original, compress(original).subarray(0, -1), end), 'cut off')
      const more = Buffer.concat([compress(original), Buffer.from('more')])
      assert.ok(await isStale(original, more, end), 'with something behind it')
      assert.ok(await isStale(original, Buffer.from('no copy'), end))
    })

test('a copy that grows without bounds is not read to its end', async () => {
  const bomb = brotliCompressSync(Buffer.alloc(1 << 30), {
    params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 },
  })
  const start = performance.now()
  assert.ok(await isStale('small', bomb, 'br'))
  assert.ok(performance.now() - start < 400, `${performance.now() - start} ms`)
})

test('a copy in a format that this Node cannot read is refused, and the reason says so', async () => {
  const { zstdCompressSync } = zlib as { zstdCompressSync?: (bytes: Buffer) => Buffer }
  const copy = zstdCompressSync?.(Buffer.from('a')) ?? Buffer.from('whatever')
  assert.is(await isStale('a', copy, 'zst'), zstdCompressSync === undefined)
  assert.ok(await isStale('b', copy, 'zst'))
  assert.match(
    reasonAgainstCopy('a.js.zst'),
    zstdCompressSync ? /does not hold/ : /cannot be compared with a\.js, because Node/,
  )
})

test('what stands beside no original is a file like any other, and a copy may have copies', async () => {
  const dir = await folderOf({ 'data.json.gz': 'x', '.gz': 'x', 'a.js': 'a' })
  writeInto(dir, 'a.js.gz', gzipSync('a'))
  writeInto(dir, 'a.js.gz.br', 'x')
  const paths = ['data.json.gz', '.gz', 'a.js', 'a.js.gz', 'a.js.gz.br']
  assert.equal(await findStaleCopies(folderContents(dir), paths), ['a.js.gz.br'])
})

test('a file that cannot be read is no stale copy but an error', async () => {
  const dir = await folderOf({ 'a.js': 'a' })
  await throwsCode(() => findStaleCopies(folderContents(dir), ['a.js', 'a.js.gz']), 'ENOENT')
})

test('signing lists right copies, and refuses wrong ones before it writes anything', async () => {
  const dir = await folderOf({ 'a.js': 'a', 'b.js': 'b' })
  writeInto(dir, 'a.js.gz', gzipSync('a'))
  writeInto(dir, 'b.js.gz', gzipSync('a'))
  const before = contentsOf(dir)
  const sign = () => signDirectory(dir, signer, { name: 'shop' })
  const error = await throwsCode(sign, 'ERR_SIGNEDIMP_OUTPUT')
  assert.match(error.message, /OUTPUT b\.js\.gz: does not hold the bytes of b\.js, and servers/)
  assert.equal(contentsOf(dir), before)
  writeInto(dir, 'b.js.gz', gzipSync('b'))
  assert.is((await sign()).files, 4)
  await verifyDirectory(dir, [signer.key])
})

test('every copy that is wrong is named', async () => {
  const dir = await folderOf({ 'a.js': 'a', 'a.js.br': 'x', 'a.js.gz': 'x' })
  const sign = () => signDirectory(dir, signer, { name: 'shop' })
  const { message } = await throwsCode(sign, 'ERR_SIGNEDIMP_OUTPUT')
  assert.match(message, 'a.js.br: does not')
  assert.match(message, '; a.js.gz does not hold the bytes of a.js')
})

test('copies of manifests are listed nowhere, and removed when the manifests are signed anew', async () => {
  const dir = await folderOf({ 'a.js': 'a' })
  const page = await addPageManifest(dir, signer, ['a.js'])
  await signDirectory(dir, signer, { name: 'shop' })
  for (const path of [manifestName, page])
    writeInto(dir, `${path}.gz`, gzipSync(readFrom(dir, path)))
  const { files } = await verifyDirectory(dir, [signer.key])
  assert.is(files, 1)
  const report = await signDirectory(dir, second)
  assert.equal(report.removedCopies, [`${page}.gz`, `${manifestName}.gz`])
  assert.equal(report.kept, [signer.key.fingerprint], 'the list is the same')
  for (const path of report.removedCopies) assert.not.ok(existsSync(join(dir, path)))
  await verifyDirectory(dir, [signer.key, second.key], { threshold: 2 })
})

test('a copy of a manifest that holds other bytes is named', async () => {
  const dir = await folderOf({ 'a.js': 'a' })
  const page = await addPageManifest(dir, signer, ['a.js'])
  await signDirectory(dir, signer, { name: 'shop' })
  for (const path of [manifestName, page]) {
    writeInto(dir, `${path}.gz`, gzipSync('another'))
    const error = await throwsCode(() => verifyDirectory(dir, [signer.key]), 'ERR_SIGNEDIMP_FILES')
    assert.match(error.message, `${path}.gz changed (does not hold the bytes of ${path})`)
    rmSync(join(dir, `${path}.gz`))
  }
})

test('a copy of a page manifest that is not there is a file like any other', async () => {
  const dir = await folderOf({ 'a.js': 'a' })
  const page = await addPageManifest(dir, signer, ['a.js'])
  await signDirectory(dir, signer, { name: 'shop' })
  writeInto(dir, `${page}.gz`, gzipSync(readFrom(dir, page)))
  rmSync(join(dir, page))
  const error = await throwsCode(() => verifyDirectory(dir, [signer.key]), 'ERR_SIGNEDIMP_FILES')
  assert.match(error.message, `${page}.gz unlisted`)
  assert.is((await signDirectory(dir, signer)).files, 2)
})

test('a copy that stood where the first manifest comes is not listed', async () => {
  const dir = await folderOf({ 'a.js': 'a', [`${manifestName}.br`]: 'planted' })
  const report = await signDirectory(dir, signer, { name: 'shop' })
  assert.equal([report.files, report.removedCopies], [1, [`${manifestName}.br`]])
  await verifyDirectory(dir, [signer.key])
})

test.run()
