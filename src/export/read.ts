import type { HashType } from '../crypto/algorithms.js'
import { hashBytes } from '../crypto/node.js'
import { splitManifest, type Trust, type VerifiedManifest } from '../manifest/verify.js'
import { verifyFiles } from '../tree/check.js'
import { hashFiles, type Progress } from '../tree/hash.js'
import type { Tree } from '../tree/tree.js'
import { checkKeys, signersOf } from '../tree/verify.js'

/** A release that was found to be as it was signed. */
export interface VerifiedRelease {
  /** File name of the manifest. */
  manifestName: string
  main: VerifiedManifest
  /** SHA-256 of what the signatures cover, in hex. */
  signedText: string
  /** Fingerprints of the keys that signed, of those that were asked for. */
  signers: string[]
  /** Hashes in hex of the files that are there, by type and path. Listed source maps need not be there. */
  hashes: Map<HashType, Map<string, string>>
}

/**
 * Verifies a folder or a zip file, and hashes its files in more ways than the manifest does. Nothing changes in between.
 * @throws as `verifyDirectory` does
 */
export async function readVerifiedRelease(
  tree: Tree,
  trust: Trust,
  manifestName: string,
  types: readonly HashType[],
  progress?: Progress,
): Promise<VerifiedRelease> {
  checkKeys(trust.keys, trust.threshold)
  return tree.whileStill(async (listed) => {
    const { main, stored } = await verifyFiles({ ...listed, manifestName }, trust, { progress })
    const there = [...main.files].filter(([path]) => listed.folder.files.has(path))
    const hashes = new Map([[main.hash, new Map(there)]])
    const paths = there.map(([path]) => path)
    for (const type of types)
      if (!hashes.has(type)) hashes.set(type, await hashFiles(listed.contents, paths, type))
    const signedText = hashBytes('sha256', splitManifest(stored).signedText)
    return { manifestName, main, signedText, signers: signersOf(stored, trust), hashes }
  })
}
