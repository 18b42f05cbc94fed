import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TrustedKey } from '../crypto/key.js'
import { hashBytes } from '../crypto/node.js'
import { SignedImpError } from '../errors.js'
import type { Manifest } from '../manifest/format.js'
import { defaultManifestName } from '../manifest/names.js'
import {
  buildRule,
  checkOptions,
  functionRule,
  manifestRule,
  type Rule,
} from '../manifest/options.js'
import { splitManifest, type Trust } from '../manifest/verify.js'
import { isDeletedMap, verifyFiles, type Verified } from './check.js'
import type { Progress } from './hash.js'
import { containerPath } from './options.js'
import { summaryOf, type ManifestSummary } from './report.js'
import { pageManifests, type ManifestFolder } from './stored.js'
import { folderTree, type Tree } from './tree.js'
import { zipTree } from './zip/tree.js'

/** What a folder must be, beside being signed. */
export interface VerifyOptions {
  /** How many of the keys must have signed. @default 1 */
  threshold?: number | undefined
  /** The name that the manifest must carry; without it, whatever the keys ever signed is accepted. */
  name?: string | undefined
  /** The lowest build that is accepted. */
  build?: number | undefined
  /** File name of the manifest. @default 'signedimp-manifest.txt' */
  manifest?: string | undefined
  /** Called after each file that was hashed. */
  progress?: Progress | undefined
}

/** What a folder was found to be. */
export interface VerifyReport extends ManifestSummary {
  /** Fingerprints of the keys that signed, of those that were asked for. */
  signers: string[]
  /** Page manifests beside the manifest, each verified by its own signatures. */
  pageManifests: string[]
  /** Listed source maps that are not there: uploaders delete them, and no page runs them. */
  missingSourceMaps: string[]
}

const rules: Record<string, Rule> = {
  threshold: [
    'a whole number of at least 1',
    (value) => Number.isSafeInteger(value) && (value as number) >= 1,
  ],
  name: ['a text', (value) => typeof value === 'string' && value !== ''],
  build: buildRule,
  manifest: manifestRule,
  progress: functionRule,
}

/**
 * Checks that a folder holds exactly what was signed by enough of the keys: every listed file with its hash, and no other.
 * Source maps may be missing.
 * @throws FilesRefusedError with every file that is changed, missing or unlisted
 * @throws SignedImpError `…_MISSING` (no manifest), `…_LATE_WRITE`, `…_PATH`, and what `verifyManifest` refuses
 */
export async function verifyDirectory(
  dir: string | URL,
  keys: readonly TrustedKey[],
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  checkOptions(options, rules)
  return verifyTree(folderTree(containerPath(dir, 'dir')), keys, options)
}

/**
 * Checks a zip file as {@link verifyDirectory} does a folder: names, and what is in the files, but no dates and permissions.
 * @throws as {@link verifyDirectory}, and `ERR_SIGNEDIMP_ZIP` on a zip file that two readers could read differently
 */
export async function verifyZipfile(
  file: string | URL,
  keys: readonly TrustedKey[],
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  checkOptions(options, rules)
  return verifyTree(zipTree(containerPath(file, 'file')), keys, options)
}

/** Checks a folder or a zip file. @throws as {@link verifyDirectory} and {@link verifyZipfile} */
export async function verifyTree(
  tree: Tree,
  keys: readonly TrustedKey[],
  {
    manifest: manifestName = defaultManifestName,
    progress,
    threshold = 1,
    name,
    build,
  }: VerifyOptions,
): Promise<VerifyReport> {
  checkKeys(keys, threshold)
  const trust = { keys, threshold, name, build }
  return tree.whileStill(async (listed) => {
    const where = { ...listed, manifestName }
    return toReport(where, await verifyFiles(where, trust, { progress }), trust)
  })
}

/** A folder that is as it was signed. */
export interface VerifiedFolder extends Verified {
  /**
   * Reads the text of a listed file.
   * @throws SignedImpError `ERR_SIGNEDIMP_LATE_WRITE` where it has other bytes by now
   */
  read(path: string): string
}

/**
 * Checks a folder as {@link verifyDirectory} does, and gives what was signed.
 * @param open files that may have other bytes than were signed, or not be listed yet
 */
export const readVerified = (
  dir: string,
  trust: Trust,
  manifestName: string,
  open: ReadonlySet<string>,
): Promise<VerifiedFolder> =>
  folderTree(dir).whileStill(async (listed) => {
    const verified = await verifyFiles({ ...listed, manifestName }, trust, { open })
    return { ...verified, read: (path) => readListed(dir, path, verified.main) }
  })

/** @throws TypeError on keys that could never be enough */
export function checkKeys(keys: readonly TrustedKey[], threshold: number): void {
  if (!Array.isArray(keys) || keys.length === 0)
    throw new TypeError('"keys" must be an array of at least one public key')
  const count = new Set(keys.map(({ fingerprint }: TrustedKey) => fingerprint)).size
  if (threshold > count)
    throw new TypeError(
      `"threshold" is ${threshold}, more than the number of different keys, ${count}`,
    )
}

function readListed(dir: string, path: string, { hash, files }: Manifest): string {
  const bytes = readFileSync(join(dir, path))
  if (hashBytes(hash, bytes) === files.get(path)) return bytes.toString()
  const reason = 'changed while the folder was read; wait until nothing writes there any more'
  throw new SignedImpError('ERR_SIGNEDIMP_LATE_WRITE', reason, { path })
}

const toReport = (
  where: ManifestFolder,
  { stored, main }: Verified,
  trust: Trust,
): VerifyReport => ({
  ...summaryOf(main),
  signers: signersOf(stored, trust),
  pageManifests: pageManifests(where),
  missingSourceMaps: [...main.files.keys()].filter((path) => isDeletedMap(path, where)),
})

/** Who signed: signatures of these keys are known to be right, as one that is not refuses the manifest. */
export function signersOf(bytes: Uint8Array, { keys }: Trust): string[] {
  const signers = new Set(splitManifest(bytes).signatures.map(({ fingerprint }) => fingerprint))
  return [...new Set(keys.map(({ fingerprint }) => fingerprint))].filter((key) => signers.has(key))
}
