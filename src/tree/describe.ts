import type { HashType } from '../crypto/algorithms.js'
import { SignedImpError } from '../errors.js'
import { parseManifest, type Manifest, type StaticImport } from '../manifest/format.js'
import { isSafeText } from '../manifest/path.js'
import { splitManifest, type StoredManifest } from '../manifest/verify.js'
import type { Contents } from './contents.js'
import { hashFiles, type Progress } from './hash.js'
import { findPackageName } from './package-name.js'
import { listedFiles, readManifest, type ManifestFolder } from './stored.js'
import type { Listed } from './tree.js'

/** What a manifest says beside its files. What is not given stays as the folder's manifest has it. */
export interface SignDirectives {
  /**
   * Which app and channel this is; whoever verifies asks for the same.
   * @default the name in the nearest package.json at or above the working directory
   */
  name?: string | undefined
  /** Increases with every release. */
  build?: number | undefined
  /** First moment at which the manifest is refused, `YYYY-MM-DDTHH:MM:SSZ`. */
  expires?: string | undefined
  /** @default 'sha256' */
  hash?: HashType | undefined
}

/** A stored manifest that is well-formed; nobody checked who signed it. */
export interface UnverifiedManifest extends StoredManifest {
  path: string
  manifest: Manifest
}

/**
 * Reads a stored manifest without asking who signed it.
 * @throws SignedImpError `ERR_SIGNEDIMP_MANIFEST_INVALID`
 */
export function parseUnverified(path: string, bytes: Uint8Array): UnverifiedManifest {
  const stored = splitManifest(bytes)
  const manifest = parseManifest(stored.signedText, stored.signatures.length + 2)
  return { path, ...stored, manifest }
}

/** The folder's manifest; one that is not well-formed is replaced like one that is not there. */
export async function readExisting(
  { folder, contents }: Listed,
  path: string,
): Promise<UnverifiedManifest | undefined> {
  if (!folder.files.has(path)) return undefined
  const bytes = await readManifest(contents, path)
  try {
    return parseUnverified(path, bytes)
  } catch {
    return undefined
  }
}

/** The manifest of a folder as it is now, with what its old manifest said beside the files. */
export async function describeFolder(
  where: ManifestFolder,
  old: Manifest | undefined,
  wanted: SignDirectives,
  progress?: Progress,
): Promise<Manifest> {
  const hash = wanted.hash ?? old?.hash ?? 'sha256'
  const name = await chooseName(wanted.name ?? old?.name)
  const build = wanted.build ?? old?.build
  const expires = wanted.expires ?? old?.expires
  refuseExpired(expires)
  const files = await hashFiles(where.contents, listedFiles(where), hash, progress)
  return {
    hash,
    name,
    ...(build !== undefined && { build }),
    ...(expires !== undefined && { expires }),
    imports: await keepImports(where.contents, old, { hash, files }),
    files,
  }
}

async function chooseName(given: string | undefined): Promise<string> {
  const name = given ?? (await findPackageName())
  if (name === undefined)
    throw new TypeError(
      '"name" must say which app and channel this is: the folder has no manifest yet, and no package.json names it',
    )
  if (!isSafeText(name))
    throw new TypeError(`"name" must be given: package.json's is no plain text`)
  return name
}

function refuseExpired(expires: string | undefined): void {
  if (expires === undefined || Date.now() < Date.parse(expires)) return
  const reason = `the manifest would expire at ${expires}, which is past; give another "expires"`
  throw new SignedImpError('ERR_SIGNEDIMP_EXPIRED', reason)
}

/**
 * Recorded imports say where in a module's text they stand, so that they hold for its old bytes only. But that a module
 * imports what only a page gives a meaning, which it says by importing itself, keeps it from being linked elsewhere.
 */
async function keepImports(
  contents: Contents,
  old: Manifest | undefined,
  { hash, files }: Pick<Manifest, 'hash' | 'files'>,
): Promise<Manifest['imports']> {
  if (!old) return new Map()
  const importers = [...old.imports.keys()].filter((path) => files.has(path))
  const hashes = old.hash === hash ? files : await hashFiles(contents, importers, old.hash)
  const keep = ([path, list]: [string, StaticImport[]]): [string, StaticImport[]] =>
    hashes.get(path) === old.files.get(path) && list.every((to) => files.has(to.path))
      ? [path, list]
      : [path, list.filter((to) => to.path === path)]
  const listed = [...old.imports].filter(([path]) => files.has(path))
  return new Map(listed.map(keep).filter(([, list]) => list.length > 0))
}
