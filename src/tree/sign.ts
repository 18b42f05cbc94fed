import { hashTypes, type HashType } from '../crypto/algorithms.js'
import type { Bytes } from '../crypto/bytes.js'
import { refuseSharedNames } from '../manifest/distinct.js'
import { isInstant, writeSignedText, type Manifest } from '../manifest/format.js'
import { defaultManifestName } from '../manifest/names.js'
import {
  buildRule,
  checkOptions,
  functionRule,
  manifestRule,
  nameRule,
  type Rule,
} from '../manifest/options.js'
import { signText, storeManifest, type Signer } from '../manifest/sign.js'
import type { StoredManifest } from '../manifest/verify.js'
import { copiesOf, refuseStaleCopies } from './copies.js'
import {
  describeFolder,
  readExisting,
  type SignDirectives,
  type UnverifiedManifest,
} from './describe.js'
import type { Progress } from './hash.js'
import { containerPath } from './options.js'
import { readPagesToSign } from './pages.js'
import { summaryOf, type ManifestSummary } from './report.js'
import { copiesOfManifests, leftoversOf, listedFiles, type ManifestFolder } from './stored.js'
import { folderTree, type Tree } from './tree.js'
import { refuseStrays } from './walk.js'
import { zipTree } from './zip/tree.js'

/** How a folder is signed. */
export interface SignOptions extends SignDirectives {
  /** File name of the manifest. @default 'signedimp-manifest.txt' */
  manifest?: string | undefined
  /** Called after each file that was hashed. */
  progress?: Progress | undefined
}

/** What was signed. */
export interface SignReport extends ManifestSummary {
  /** File name of the manifest in the folder. */
  manifest: string
  /** Fingerprint of the key that signed. */
  signer: string
  /** Fingerprints of other keys whose signatures of the same text were there; they were kept, and not checked. */
  kept: string[]
  /** Fingerprints of other keys whose signatures went, as the folder's manifest says something else than they signed. */
  dropped: string[]
  /** Page manifests beside the manifest; they got this key's signature too. */
  pageManifests: string[]
  /** Modules whose recorded imports were dropped, because they changed or what they import is gone. */
  droppedImports: string[]
  /** Compressed copies of the manifests as they were before, and what a killed write left of one; they were removed. */
  removedCopies: string[]
}

const rules: Record<string, Rule> = {
  name: nameRule,
  build: buildRule,
  expires: [
    'a date such as "2027-02-01T00:00:00Z"',
    (value) => typeof value === 'string' && isInstant(value),
  ],
  hash: [`one of ${hashTypes.join(', ')}`, (value) => hashTypes.includes(value as HashType)],
  manifest: manifestRule,
  progress: functionRule,
}

/**
 * Lists every file of a folder, signs the list and writes it there. Where the folder's manifest says the same already,
 * the signature is added to those it carries. Page manifests beside it are signed with it. Compressed copies of them
 * are removed, as they hold the old ones.
 * Nothing is written unless everything could be signed.
 * @throws SignedImpError `…_PATH`, `…_LATE_WRITE`, `…_EXPIRED`, `…_FILES` (page manifests that the files do not match),
 *   `…_OUTPUT` (compressed copies of other bytes)
 */
export async function signDirectory(
  dir: string | URL,
  signer: Signer,
  options: SignOptions = {},
): Promise<SignReport> {
  checkOptions(options, rules)
  return signTree(folderTree(containerPath(dir, 'dir')), signer, options)
}

/**
 * Signs a zip file as {@link signDirectory} does a folder. The manifests become its last entries; the bytes of all other
 * entries stay. Names, and what is in the files, is signed: no dates, no permissions.
 * @throws SignedImpError as {@link signDirectory}, and `ERR_SIGNEDIMP_ZIP` on a zip file that two readers could read
 *   differently
 */
export async function signZipfile(
  file: string | URL,
  signer: Signer,
  options: SignOptions = {},
): Promise<SignReport> {
  checkOptions(options, rules)
  return signTree(zipTree(containerPath(file, 'file')), signer, options)
}

async function signTree(tree: Tree, signer: Signer, options: SignOptions): Promise<SignReport> {
  const { manifest: path = defaultManifestName, progress, ...directives } = options
  const { existing, main, pages, copies } = await tree.whileStill((listed) =>
    read({ ...listed, manifestName: path }, directives, progress),
  )
  const signedText = writeSignedText(main)
  const same = existing !== undefined && Buffer.compare(existing.signedText, signedText) === 0
  const signatures = same ? existing.signatures : []
  await signAll(tree, [...pages, { path, signatures, signedText }], signer, copies)
  const recorded = [...(existing?.manifest.imports.keys() ?? [])]
  return {
    manifest: path,
    ...summaryOf(main),
    signer: signer.key.fingerprint,
    kept: keysOf(otherKeys(signatures, signer)),
    dropped: same ? [] : keysOf(otherKeys(existing?.signatures ?? [], signer)),
    pageManifests: pages.map((page) => page.path),
    droppedImports: recorded.filter((file) => !main.imports.has(file)),
    removedCopies: copies,
  }
}

/** Signs texts, and writes them when all are signed; the last one is the manifest, as until it is there nothing changed. */
async function signAll(
  tree: Tree,
  texts: (StoredManifest & { path: string })[],
  signer: Signer,
  removed: readonly string[],
): Promise<void> {
  const stored = new Map<string, Bytes>()
  for (const text of texts) stored.set(text.path, await addSignature(text, signer))
  await tree.write(stored, [...removed, ...texts.flatMap(({ path }) => copiesOf(path))])
}

interface ReadFolder {
  existing: UnverifiedManifest | undefined
  main: Manifest
  pages: UnverifiedManifest[]
  /** Compressed copies of the manifests, and what is left of them. */
  copies: string[]
}

async function read(
  where: ManifestFolder,
  directives: SignDirectives,
  progress: Progress | undefined,
): Promise<ReadFolder> {
  const { folder, contents, manifestName } = where
  refuseStrays(folder)
  refuseSharedNames([...folder.files.keys(), manifestName])
  await refuseStaleCopies(contents, listedFiles(where))
  const existing = await readExisting(where, manifestName)
  const main = await describeFolder(where, existing?.manifest, directives, progress)
  const pages = await readPagesToSign({ ...where, main, hashes: main.files })
  return { existing, main, pages, copies: [...leftoversOf(where), ...copiesOfManifests(where)] }
}

async function addSignature(text: StoredManifest, signer: Signer): Promise<Bytes> {
  const signature = await signText(text.signedText, signer)
  return storeManifest([...otherKeys(text.signatures, signer), signature], text.signedText)
}

const otherKeys = (
  signatures: StoredManifest['signatures'],
  { key }: Signer,
): StoredManifest['signatures'] =>
  signatures.filter(({ fingerprint }) => fingerprint !== key.fingerprint)

const keysOf = (signatures: StoredManifest['signatures']): string[] => [
  ...new Set(signatures.map(({ fingerprint }) => fingerprint)),
]
