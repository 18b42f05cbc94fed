import { signText, type Signer } from '../manifest/sign.js'
import type { StoredSignature, Trust } from '../manifest/verify.js'
import { verifyFiles } from './check.js'
import { parseUnverified, type UnverifiedManifest } from './describe.js'
import type { Progress } from './hash.js'
import { merge, writeAll } from './signatures.js'
import { readManifest } from './stored.js'
import type { Tree } from './tree.js'
import { checkKeys, signersOf } from './verify.js'

/** The manifests of a folder or a zip file that is as it was signed. */
export interface SignedTexts {
  /** Fingerprints of the keys that signed, of those that were asked for. */
  signers: string[]
  /** The page manifests, and last the manifest. */
  texts: UnverifiedManifest[]
}

/**
 * Checks a folder or a zip file as `verifyDirectory` does, and gives the manifests that were checked.
 * @throws as `verifyDirectory` does
 */
export async function readSigned(
  tree: Tree,
  trust: Trust,
  manifestName: string,
  progress?: Progress,
): Promise<SignedTexts> {
  checkKeys(trust.keys, trust.threshold)
  return tree.whileStill(async (listed) => {
    const { stored, pages } = await verifyFiles({ ...listed, manifestName }, trust, { progress })
    const texts: UnverifiedManifest[] = []
    for (const path of pages.keys())
      texts.push(parseUnverified(path, await readManifest(listed.contents, path)))
    texts.push(parseUnverified(manifestName, stored))
    return { signers: signersOf(stored, trust), texts }
  })
}

/**
 * Adds signatures to manifests. What is signed are their texts as they were checked: files that changed since are vouched
 * for by nobody. Nothing is written unless everything could be signed.
 */
export async function addSignatures(
  tree: Tree,
  texts: readonly UnverifiedManifest[],
  signers: readonly Signer[],
): Promise<void> {
  const results: { text: UnverifiedManifest; merged: StoredSignature[] }[] = []
  for (const text of texts) {
    const fresh: StoredSignature[] = []
    for (const signer of signers) fresh.push(await signText(text.signedText, signer))
    results.push({ text, merged: merge(text.signatures, fresh) })
  }
  await writeAll(tree, results, [])
}
