import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { StoredSignature } from '../../src/manifest/verify.ts'
import { signDirectory } from '../../src/tree/sign.ts'
import {
  attachSignatures,
  readManifests,
  removeSignatures,
  signDetached,
} from '../../src/tree/signatures.ts'
import { folderTree } from '../../src/tree/tree.ts'
import { verifyDirectory } from '../../src/tree/verify.ts'
import { throwsCode } from '../support/throws.ts'
import { addPageManifest, contentsOf, folderOf, newSigner } from './folder.ts'

const [a, b] = [await newSigner(), await newSigner()]
const manifestName = 'signedimp-manifest.txt'

/** A folder of build 8 that `a` has signed, with a page manifest of that build and one of build 7. */
async function release() {
  const dir = await folderOf({ 'a.js': 'a' })
  const earlier = await addPageManifest(dir, a, ['a.js'], { build: 7 })
  const page = await addPageManifest(dir, a, ['a.js'], { build: 8 })
  await signDirectory(dir, a, { name: 'shop', build: 8 })
  const place = { tree: folderTree(dir), manifestName, alone: false }
  const signatures = async (signer = b) => signDetached(await readManifests(place), signer)
  return { dir, earlier, page, place, signatures }
}

const pathsOf = (signatures: { path: string }[]) => signatures.map(({ path }) => path)

test('a page manifest of an earlier build gets no signature, nor one that has it already', async () => {
  const { page, place, signatures } = await release()
  assert.equal(pathsOf(await signatures(b)), [manifestName, page])
  assert.equal(pathsOf(await signatures(a)), [manifestName])
  await removeSignatures(place, undefined)
  assert.equal(pathsOf(await signatures(a)), [manifestName, page])
})

test('what is attached need not sign the page manifests of earlier builds', async () => {
  const { dir, earlier, page, place, signatures } = await release()
  const report = await attachSignatures(place, await signatures(), [a.key, b.key])
  assert.equal(report.manifests.sort(), [page, manifestName].sort())
  assert.not.ok(report.manifests.includes(earlier))
  await verifyDirectory(dir, [a.key])
})

/** That signatures are refused, and nothing is written. */
async function refuses(change: (one: StoredSignature) => StoredSignature): Promise<void> {
  const { dir, place, signatures } = await release()
  const before = contentsOf(join(dir))
  const changed = (await signatures()).map(change)
  const attach = () => attachSignatures(place, changed, [a.key, b.key])
  await throwsCode(attach, 'ERR_SIGNEDIMP_SIGNATURE')
  assert.equal(contentsOf(dir), before)
}

test('a signature under another scheme than its key has is refused', async () => {
  await refuses((one) => ({ ...one, scheme: 'pss-sha256' }))
})

test('a signature under the name of another key is refused', async () => {
  await refuses((one) => ({ ...one, fingerprint: a.key.fingerprint }))
})

test('a signature of an unknown key is refused', async () => {
  await refuses((one) => ({ ...one, fingerprint: 'f'.repeat(64) }))
})

test('the keys may stand in any order', async () => {
  const { place, signatures } = await release()
  const report = await attachSignatures(place, await signatures(), [a.key, b.key])
  assert.equal([report.added, report.kept], [[b.key.fingerprint], [a.key.fingerprint]])
})

test.run()
