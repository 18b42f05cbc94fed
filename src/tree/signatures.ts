/** Signatures apart from their manifests: made where the key is, and put in where the files are. */
import { nodeCrypto } from '../crypto/node.js'
import type { TrustedKey } from '../crypto/key.js'
import { SignedImpError } from '../errors.js'
import { signText, storeManifest, type Signer } from '../manifest/sign.js'
import { splitManifest, type StoredManifest, type StoredSignature } from '../manifest/verify.js'
import { copiesOf } from './copies.js'
import { parseUnverified, type UnverifiedManifest } from './describe.js'
import { reasonAgainstPage } from './pages.js'
import { compareFiles } from './release.js'
import {
  leftoversOf,
  pageManifests,
  readMain,
  readManifest,
  type ManifestFolder,
} from './stored.js'
import type { Tree } from './tree.js'

/** The manifests of a folder or a zip file; nobody checked who signed them, nor what files there are. */
export interface ManifestSet {
  main: UnverifiedManifest
  pages: UnverifiedManifest[]
  /** What killed writes have left of them. */
  leftovers: string[]
}

/** Where manifests are. */
export interface ManifestPlace {
  tree: Tree
  manifestName: string
  /** Whether it is about this manifest only, and not about the page manifests beside it. */
  alone: boolean
}

/**
 * Reads manifests without asking who signed them.
 * @throws SignedImpError `ERR_SIGNEDIMP_MISSING`, `…_MANIFEST_INVALID`
 */
export const readManifests = ({ tree, manifestName, alone }: ManifestPlace): Promise<ManifestSet> =>
  tree.whileStill(async (listed) => {
    const where: ManifestFolder = { ...listed, manifestName }
    const main = parseUnverified(manifestName, await readMain(where))
    const pages: UnverifiedManifest[] = []
    for (const path of alone ? [] : pageManifests(where))
      pages.push(parseUnverified(path, await readManifest(listed.contents, path)))
    return { main, pages, leftovers: leftoversOf(where) }
  })

/**
 * Signs manifests, and gives the signatures alone. Page manifests of earlier builds, and those that this key has signed
 * already, need none. The others may say nothing that the manifest does not say, as whoever signs sees only what is new
 * in that one.
 * @throws SignedImpError `ERR_SIGNEDIMP_RELEASE` on a page manifest that does
 */
export async function signDetached(
  { main, pages }: ManifestSet,
  signer: Signer,
): Promise<(StoredSignature & { path: string })[]> {
  const texts = pages.filter(
    (page) => isOfRelease(page, main) && !isSigned(page, page.signatures, signer.key),
  )
  for (const page of texts) refuseOddPage(page, main)
  const signatures: (StoredSignature & { path: string })[] = []
  for (const { path, signedText } of [main, ...texts])
    signatures.push({ path, ...(await signText(signedText, signer)) })
  return signatures
}

/** Whether a page manifest is of the build that is released, as far as that has a number. */
const isOfRelease = ({ manifest: page }: UnverifiedManifest, { manifest }: UnverifiedManifest) =>
  page.build === manifest.build

/** As far as the manifests tell: whoever signs has no files. */
function refuseOddPage(page: UnverifiedManifest, main: UnverifiedManifest): void {
  const reason =
    reasonAgainstPage(page, { manifestName: main.path, main: main.manifest }) ??
    reasonAgainstContent(page, main)
  if (reason) throw new SignedImpError('ERR_SIGNEDIMP_RELEASE', reason, { path: page.path })
}

function reasonAgainstContent(
  { manifest: page }: UnverifiedManifest,
  { path, manifest: main }: UnverifiedManifest,
): string | undefined {
  if (page.expires !== main.expires)
    return `expires at ${page.expires ?? 'no time'}, and ${path} at ${main.expires ?? 'no time'}`
  const { added, changed } = compareFiles(main, page)
  const [stray] = [...added, ...changed]
  return stray === undefined ? undefined : `lists ${stray} otherwise than ${path}`
}

/** A file of signatures: the lines that a manifest begins with. */
export const formatSignatures = (signatures: StoredSignature[]): Uint8Array =>
  storeManifest(signatures, new Uint8Array()).slice(0, -1)

/** Reads a file of {@link formatSignatures}. @throws SignedImpError `ERR_SIGNEDIMP_MANIFEST_INVALID` with the line */
export function parseSignatures(path: string, bytes: Uint8Array): StoredSignature[] {
  const parts = [bytes, Uint8Array.of(10)]
  try {
    const { signatures, signedText } = splitManifest(Buffer.concat(parts))
    if (signatures.length > 0 && signedText.length === 0) return signatures
  } catch (error) {
    throw noSignatures(path, (error as SignedImpError).reason)
  }
  throw noSignatures(path, 'line 1')
}

const noSignatures = (path: string, where: string): SignedImpError =>
  new SignedImpError('ERR_SIGNEDIMP_MANIFEST_INVALID', `is no file of signatures: ${where}`, {
    path,
  })

/** What became of signatures. */
export interface AttachReport {
  /** Manifests that have new signatures. */
  manifests: string[]
  /** Fingerprints of the keys that signed now. */
  added: string[]
  /** Fingerprints of other keys whose signatures were there; they were kept, and not checked. */
  kept: string[]
}

/**
 * Puts signatures into manifests, each into the one whose text it signs. All of the manifests must then be signed by the
 * keys of the signatures. Nothing is written otherwise.
 * @param keys public keys of those who may have signed
 * @throws SignedImpError `ERR_SIGNEDIMP_SIGNATURE`, and what {@link readManifests} throws
 */
export async function attachSignatures(
  place: ManifestPlace,
  signatures: readonly StoredSignature[],
  keys: readonly TrustedKey[],
): Promise<AttachReport> {
  const { main, pages, leftovers } = await readManifests(place)
  const all = [...pages, main]
  const found = all.map((text) => ({
    text,
    own: signatures.filter((one) => signs(one, text, keys)),
  }))
  const used = new Set(found.flatMap(({ own }) => own))
  const stray = signatures.find((signature) => !used.has(signature))
  if (stray)
    throw refuseSignature(
      place.tree.path,
      `${stray.fingerprint} did not sign what is there, or is none of the keys`,
    )
  const added = [...new Set(signatures.map(({ fingerprint }) => fingerprint))]
  const results = found.map(({ text, own }) => ({ text, merged: merge(text.signatures, own) }))
  for (const { text, merged } of results) {
    const signers = keys.filter(({ fingerprint }) => added.includes(fingerprint))
    const lacking = signers.find((key) => !isSigned(text, merged, key))
    if (lacking && isOfRelease(text, main))
      throw refuseSignature(text.path, `there is no signature of it by ${lacking.fingerprint}`)
  }
  await writeAll(place.tree, results, leftovers)
  const kept = main.signatures.map(({ fingerprint }) => fingerprint)
  return {
    manifests: found.filter(({ own }) => own.length > 0).map(({ text }) => text.path),
    added,
    kept: [...new Set(kept)].filter((fingerprint) => !added.includes(fingerprint)),
  }
}

function signs(
  { fingerprint, scheme, signature }: StoredSignature,
  { signedText }: StoredManifest,
  keys: readonly TrustedKey[],
): boolean {
  const key = keys.find((candidate) => candidate.fingerprint === fingerprint)
  return key?.scheme === scheme && nodeCrypto.verify(key, signature, signedText) === true
}

const isSigned = (text: StoredManifest, signatures: StoredSignature[], key: TrustedKey): boolean =>
  signatures.some((signature) => signs(signature, text, [key]))

/** Signatures with those of keys that signed anew in the place of their old ones. */
export const merge = (old: StoredSignature[], fresh: StoredSignature[]): StoredSignature[] => [
  ...old.filter((one) => !fresh.some(({ fingerprint }) => fingerprint === one.fingerprint)),
  ...fresh,
]

const refuseSignature = (path: string, reason: string): SignedImpError =>
  new SignedImpError('ERR_SIGNEDIMP_SIGNATURE', reason, { path })

/** Manifests with their new signatures; the one of the whole is written last. */
export function writeAll(
  tree: Tree,
  texts: { text: UnverifiedManifest; merged: StoredSignature[] }[],
  leftovers: readonly string[],
): Promise<void> {
  const files = texts.map(({ text: { path, signedText }, merged }) => [
    path,
    storeManifest(merged, signedText),
  ]) as [string, Uint8Array][]
  // They hold the manifests as they were.
  return tree.write(new Map(files), [...leftovers, ...files.flatMap(([path]) => copiesOf(path))])
}

/** What became of the signatures that were taken out. */
export interface UnsignReport {
  /** Fingerprints of the keys whose signatures were taken out. */
  removed: string[]
  /** Fingerprints of the keys whose signatures are still there; they were not checked. */
  kept: string[]
}

/**
 * Takes the signatures of one key out of manifests, or all. What they list stays.
 * @param fingerprint of the key; undefined for all
 * @throws SignedImpError `ERR_SIGNEDIMP_SIGNATURE` where there is nothing to take out
 */
export async function removeSignatures(
  place: ManifestPlace,
  fingerprint: string | undefined,
): Promise<UnsignReport> {
  const { main, pages, leftovers } = await readManifests(place)
  const isGone = (one: StoredSignature) =>
    fingerprint === undefined || one.fingerprint === fingerprint
  const all = [...pages, main]
  if (!all.some(({ signatures }) => signatures.some(isGone)))
    throw refuseSignature(main.path, `is not signed${fingerprint ? ` by ${fingerprint}` : ''}`)
  await writeAll(
    place.tree,
    all.map((text) => ({ text, merged: text.signatures.filter((one) => !isGone(one)) })),
    leftovers,
  )
  const keysOf = (signatures: StoredSignature[]) => [
    ...new Set(signatures.map((one) => one.fingerprint)),
  ]
  const before = all.flatMap(({ signatures }) => signatures)
  return {
    removed: keysOf(before.filter(isGone)),
    kept: keysOf(before.filter((one) => !isGone(one))),
  }
}
