/** What a signer looks at before it signs a release that somebody else built: what is new in it, and whether it may be. */
import { SignedImpError } from '../errors.js'
import type { Manifest } from '../manifest/format.js'
import { comparePaths } from '../manifest/path.js'

/** How the files of one manifest differ from those of another. */
export interface FileChanges {
  added: string[]
  removed: string[]
  changed: string[]
}

type Listed = Pick<Manifest, 'hash' | 'files'>

/**
 * Compares what two manifests list, in a manifest's order.
 * @throws SignedImpError `ERR_SIGNEDIMP_RELEASE` where they list hashes of different types
 */
export function compareFiles(old: Listed, next: Listed): FileChanges {
  if (old.hash !== next.hash)
    throw refuseRelease(
      `lists hashes of the type ${next.hash}, and what it is compared with ${old.hash}, so that nobody sees what changed`,
    )
  const added = [...next.files.keys()].filter((path) => !old.files.has(path))
  const removed = [...old.files.keys()].filter((path) => !next.files.has(path))
  const changed = [...next.files].filter(
    ([path, digest]) => (old.files.get(path) ?? digest) !== digest,
  )
  return {
    added: added.sort(comparePaths),
    removed: removed.sort(comparePaths),
    changed: changed.map(([path]) => path).sort(comparePaths),
  }
}

/** What a release must be for a signer to sign it. */
export interface ReleasePolicy {
  /** The manifest of the last release; undefined for the first one. */
  since: Manifest | undefined
  /** What it must be called; without it, as the last release. */
  name: string | undefined
  /** By how much a build may rise; of the first release, above the seconds since 1970. */
  maxStep: number
  /** How many days from now it may expire at most. */
  maxDays: number
  /** Whether it may never expire. */
  neverExpires: boolean
}

/** Three years in seconds: higher builds could lock everybody out who accepts no lower one. */
export const defaultMaxStep = 100_000_000
/** A little more than a year. */
export const defaultMaxDays = 400

const day = 86_400_000

/**
 * Refuses a release that its signer did not expect, whoever wants it signed.
 * @throws SignedImpError `ERR_SIGNEDIMP_NAME`, `…_EXPIRED`, `…_RELEASE`
 */
export function checkRelease(next: Manifest, policy: ReleasePolicy): void {
  for (const name of [policy.name, policy.since?.name])
    if (name !== undefined && next.name !== name)
      throw new SignedImpError('ERR_SIGNEDIMP_NAME', `is for "${next.name}", not for "${name}"`)
  const reason = reasonAgainstBuild(next, policy) ?? reasonAgainstExpiry(next, policy)
  if (reason !== undefined) throw refuseRelease(reason)
}

function reasonAgainstBuild(
  { build }: Manifest,
  { since, maxStep }: ReleasePolicy,
): string | undefined {
  if (build === undefined)
    return since?.build === undefined
      ? undefined
      : `has no build, and the last one had ${since.build}`
  if (since?.build !== undefined && build <= since.build)
    return `is of build ${build}, which does not rise: the last one had ${since.build}`
  const most = (since?.build ?? Math.floor(Date.now() / 1000)) + maxStep
  return build > most ? `is of build ${build}, which rises too far: at most ${most}` : undefined
}

function reasonAgainstExpiry(
  { expires }: Manifest,
  { maxDays, neverExpires }: ReleasePolicy,
): string | undefined {
  if (expires === undefined)
    return neverExpires ? undefined : 'never expires, which has to be allowed (--never-expires)'
  const left = Date.parse(expires) - Date.now()
  if (left <= 0)
    throw new SignedImpError('ERR_SIGNEDIMP_EXPIRED', `would expire at ${expires}, which is past`)
  return left > maxDays * day ? `expires at ${expires}, in more than ${maxDays} days` : undefined
}

const refuseRelease = (reason: string): SignedImpError =>
  new SignedImpError('ERR_SIGNEDIMP_RELEASE', reason)
