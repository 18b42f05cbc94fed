/** What keeps a folder from being sealed, beside code that nothing checks. */
import type { Emitted, Release } from '../emit/release.js'
import { isBootstrap } from '../emit/later-entries.js'
import { isPage, textOf, type Output } from '../emit/output.js'
import { findTags } from '../emit/tags.js'
import { SignedImpError } from '../errors.js'
import { copiesOf } from '../tree/copies.js'
import type { Folder } from '../tree/walk.js'
import { findHashList } from './hash-lists.js'
import { refusePolicy } from './policy.js'

const refuse = (path: string | undefined, reason: string): SignedImpError =>
  new SignedImpError('ERR_SIGNEDIMP_OUTPUT', reason, path === undefined ? {} : { path })

/** A folder that somebody signed is what it was signed as: its pages may start through a bootstrap already. */
export function refuseSigned({ files }: Folder, manifestName: string): void {
  if (files.has(manifestName))
    throw refuse(
      manifestName,
      'is there, so that the folder was signed already: by a build with the plugin, whose pages need no seal, or by signedimp sign, whose manifest is to be deleted before',
    )
}

/** @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` on pages that start through a bootstrap already */
export function refuseBootstraps(path: string, html: string): void {
  if (findTags(html).some(isBootstrap))
    throw refuse(path, 'starts through a bootstrap already; give the folder as it was before that')
}

/** @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` where no page starts anything */
export function refusePlain({ pages }: Emitted): void {
  if (pages === 0)
    throw refuse(
      undefined,
      'no page of this folder starts an ES module, so that there is nothing to check; name one in a module script, or sign the folder as it is with signedimp sign',
    )
}

/** @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` on pages whose own policy would not let them start */
export function refusePolicies(output: Output, emitted: Emitted, release: Release): void {
  const { integrity } = emitted.bootstrap!
  const { inline, tags: hasTags } = release
  for (const file of output.values()) {
    if (!isPage(file.path)) continue
    const tags = findTags(textOf(file))
    const carrier = tags.find(isBootstrap)
    const nonce = carrier?.attributes.get('nonce')
    if (carrier) refusePolicy(file.path, tags, { inline, tags: hasTags, integrity, nonce })
  }
}

/**
 * Refuses what goes by the bytes that a seal changes: compressed copies, which servers would send, and lists of hashes.
 * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT`
 */
export function refuseDependents(
  { files }: Folder,
  originals: ReadonlyMap<string, Buffer>,
  changes: ReadonlyMap<string, Buffer>,
): void {
  const changed = new Map([...originals].filter(([path]) => changes.has(path)))
  const copied = [...changed.keys()].flatMap(copiesOf).find((copy) => files.has(copy))
  if (copied !== undefined)
    throw refuse(
      copied,
      'is a compressed copy of a file that sealing changes, and servers would send it in its place; delete it, seal, compress then, and list the copies with signedimp sign',
    )
  const texts = new Map([...originals].filter(([path]) => !isPage(path)))
  const found = findHashList(texts, changed)
  if (found)
    throw refuse(
      found.list,
      `holds a hash of ${found.file}, which sealing changes, so that whoever goes by it (a precache list, a list of integrity) would find another file; build without it, or make it after sealing, and list it with signedimp sign`,
    )
}
