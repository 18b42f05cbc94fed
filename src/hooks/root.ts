/** A folder that somebody signed, as a program finds it on its disk. */
import type { HashType } from '../crypto/algorithms.js'
import type { TrustedKey } from '../crypto/key.js'
import { hashBytes, nodeCrypto } from '../crypto/node.js'
import { defaultManifestName } from '../manifest/names.js'
import { refusal } from '../manifest/refusal.js'
import { findBlankLine, splitManifest, verifyManifestNow } from '../manifest/verify.js'
import { fileUrl, node } from './captured.js'
import { readWhole } from './read.js'

/** What a root must be, and where it is. */
export interface RootOptions {
  /** The folder; one that is reached through links is what these lead to at the start, and no other later. */
  base: string
  /** Which app and channel it must be. */
  name: string
  /** Whom to trust. */
  keys: readonly TrustedKey[]
  /** How many of `keys` must have signed. */
  threshold: number
  /** The lowest build that is accepted. */
  build?: number | undefined
  /** File name of its manifest. @default 'signedimp-manifest.txt' */
  manifest?: string | undefined
  /** The stored manifest, where whoever starts has brought it along; `manifest` is then not read. */
  stored?: Uint8Array | undefined
  /** SHA-256 of its signed text, where only one release will do: that of the program that starts this one. */
  release?: string | undefined
  /** Told of the manifest once it was checked, before anything may be loaded; what it throws refuses the root. */
  remember?: ((seen: SeenRelease) => void) | undefined
}

/** A release as a root has it. */
export interface SeenRelease {
  /** The real folder, with a separator behind it. */
  folder: string
  build: number | undefined
  /** Fingerprints of the keys that have signed, of those that are trusted. */
  signers: string[]
}

/** A root whose manifest was checked. */
export interface Root {
  /** As it was asked for, with the real folder for `base` and its `release`. */
  readonly options: RootOptions
  /** The real folder, with a separator behind it. */
  readonly folder: string
  readonly hash: HashType
  /** Hash in hex by path. Nobody outside of this folder of sources has it. */
  readonly files: ReadonlyMap<string, string>
  /** Modules that say what they import: none of them is CommonJS. */
  readonly importers: ReadonlyMap<string, unknown>
  /** What `package.json` files that are signed say of `.js` files, by their folder. */
  readonly types: Map<string, string>
}

/** Most bytes of a manifest. */
const maxManifestBytes = 1 << 26

/**
 * Checks a folder's manifest. Synchronous, for nothing may run before it.
 * @throws SignedImpError `…_MISSING`, and what `verifyManifest` refuses; `…_VERSION_SKEW` for another release
 */
export function openRoot(options: RootOptions): Root {
  const { keys, threshold, name, build, manifest = defaultManifestName } = options
  const base = realFolder(options.base)
  const folder = base.endsWith(node.sep) ? base : base + node.sep
  const bytes = options.stored ?? readWhole(folder + manifest, maxManifestBytes)
  if (!bytes) throw refusal('MISSING', 'no such file: sign the folder', folder + manifest)
  const verified = verifyManifestNow(bytes, { keys, threshold, name, build }, nodeCrypto)
  const release = hashBytes('sha256', bytes.subarray(findBlankLine(bytes) + 1))
  if (release !== (options.release ?? release))
    throw refusal('VERSION_SKEW', 'another release than the program started with', base)
  options.remember?.({ folder, build: verified.build, signers: signersOf(bytes, keys) })
  return {
    // What starts from here is of the same release: it has nothing to compare.
    options: { ...options, base, release, remember: undefined },
    folder,
    hash: verified.hash,
    files: verified.files,
    importers: verified.imports,
    types: new Map(),
  }
}

function signersOf(bytes: Uint8Array, keys: RootOptions['keys']): string[] {
  const signed = splitManifest(bytes).signatures.map(({ fingerprint }) => fingerprint)
  return signed.filter((one) => keys.some(({ fingerprint }) => fingerprint === one))
}

function realFolder(base: string): string {
  try {
    return node.realpathSync(base)
  } catch (cause) {
    throw refusal('MISSING', `no such folder (${(cause as Error).message})`, base)
  }
}

/** URL of a file of a root. */
export const urlOf = ({ folder }: Root, path: string, like?: string): string =>
  fileUrl(folder + path, like)
