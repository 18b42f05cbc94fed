import type { HashType } from '../crypto/algorithms.js'
import type { Bytes } from '../crypto/bytes.js'
import { hashBytes } from '../crypto/node.js'
import { writeSignedText, type Manifest } from '../manifest/format.js'
import { isManifestOf, pageManifestName } from '../manifest/names.js'
import { signManifest } from '../manifest/sign.js'
import type { Release } from './release.js'
import { isHeadersFile } from './forms.js'
import { isSourceMap } from '../manifest/path.js'
import { isPage, type Output, type OutputFile } from './output.js'

/** Whether pages may load a file: not themselves, nor what only tools read. */
export const isForPages = (
  path: string,
  { manifestName, viteManifest }: Pick<Release, 'manifestName' | 'viteManifest'>,
): boolean =>
  !isPage(path) &&
  !isSourceMap(path) &&
  !isHeadersFile(path) &&
  !isManifestOf(manifestName, path) &&
  path !== viteManifest

/** Hashes of an output's files, in hex; notes their sizes, too. @param known those that need not be made again */
export function hashFiles(
  output: Output,
  type: HashType,
  isListed: (path: string) => boolean,
  known?: Map<string, string>,
): Map<string, string> {
  const files = [...output.values()].filter(({ path }) => isListed(path))
  return new Map(files.map((file) => [file.path, known?.get(file.path) ?? digestOf(file, type)]))
}

function digestOf(file: OutputFile, type: HashType): string {
  const { source = '', digest } = file
  // Not kept: bundlers that take texts have them in memory already.
  const bytes = typeof source === 'string' ? Buffer.from(source) : source
  file.size = bytes.length
  return digest ?? hashBytes(type, bytes)
}

/** Signs the manifest of what a page or an entry loads. It is named by what it says, so that older pages keep theirs. */
export async function signPageManifest(
  release: Release,
  listed: Pick<Manifest, 'imports' | 'files'>,
): Promise<{ path: string; text: Bytes; stored: Bytes }> {
  const text = writeSignedText(toManifest(release, listed))
  const stored = await signManifest(text, release.signer)
  return { path: pageManifestName(release.manifestName, hashBytes('sha256', text)), text, stored }
}

/** A manifest without what is unknown. */
export const toManifest = (
  { hash, name, build, expires }: Pick<Release, 'hash' | 'name' | 'build' | 'expires'>,
  { imports, files }: Pick<Manifest, 'imports' | 'files'>,
): Manifest => ({
  hash,
  name,
  ...(build === undefined ? {} : { build }),
  ...(expires === undefined ? {} : { expires }),
  imports,
  files,
})
