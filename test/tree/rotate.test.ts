import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { addSignatures, readSigned } from '../../src/tree/rotate.ts'
import { signDirectory } from '../../src/tree/sign.ts'
import { folderTree } from '../../src/tree/tree.ts'
import { verifyDirectory } from '../../src/tree/verify.ts'
import { throwsCode } from '../support/throws.ts'
import { addPageManifest, contentsOf, folderOf, newSigner, readFrom, writeInto } from './folder.ts'

const [old, next, other] = [await newSigner(), await newSigner(), await newSigner()]
const manifestName = 'signedimp-manifest.txt'
const trust = { keys: [old.key], threshold: 1 }

/** A folder that `old` has signed, with a page manifest. */
async function release() {
  const dir = await folderOf({ 'a.js': 'a' })
  const page = await addPageManifest(dir, old, ['a.js'])
  await signDirectory(dir, old, { name: 'shop' })
  return { dir, page, tree: folderTree(dir) }
}

test('all manifests get the signatures, and keep what they say', async () => {
  const { dir, page, tree } = await release()
  const textOf = (path: string) => readFrom(dir, path).split('\n\n')[1]
  const before = [page, manifestName].map(textOf)
  const { signers, texts } = await readSigned(tree, trust, manifestName)
  assert.equal(signers, [old.key.fingerprint])
  assert.equal(
    texts.map(({ path }) => path),
    [page, manifestName],
  )
  await addSignatures(tree, texts, [next, other])
  assert.equal([page, manifestName].map(textOf), before)
  await verifyDirectory(dir, [old.key, next.key, other.key], { threshold: 3 })
})

test('what changes after the check is vouched for by nobody', async () => {
  const { dir, tree } = await release()
  const { texts } = await readSigned(tree, trust, manifestName)
  const evil = {
    ...next,
    sign: (bytes: Uint8Array<ArrayBuffer>) => {
      writeInto(dir, 'a.js', 'evil')
      writeInto(dir, manifestName, readFrom(dir, manifestName).replace('name: shop', 'name: evil'))
      return next.sign(bytes)
    },
  }
  await addSignatures(tree, texts, [evil, other])
  assert.match(readFrom(dir, manifestName), '# name: shop')
  const error = await throwsCode(() => verifyDirectory(dir, [other.key]), 'ERR_SIGNEDIMP_FILES')
  assert.match(error.message, 'a.js changed')
})

test('where one cannot sign, nothing is written', async () => {
  const { dir, tree } = await release()
  const { texts } = await readSigned(tree, trust, manifestName)
  const before = contentsOf(join(dir))
  const broken = { ...next, sign: () => Promise.reject(new TypeError('no token')) }
  const failed = await addSignatures(tree, texts, [other, broken]).catch((error) => error)
  assert.is(failed.message, 'no token')
  assert.equal(contentsOf(dir), before)
})

test('what no key of these has signed is not read', async () => {
  const { dir, tree } = await release()
  const by = (keys: (typeof old.key)[]) => readSigned(tree, { keys, threshold: 1 }, manifestName)
  await throwsCode(() => by([next.key]), 'ERR_SIGNEDIMP_SIGNATURE')
  writeInto(dir, 'new.js', '')
  await throwsCode(() => by([old.key]), 'ERR_SIGNEDIMP_FILES')
})

test.run()
