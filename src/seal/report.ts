import type { Release } from '../emit/emit.js'
import { isBootstrap } from '../emit/later-entries.js'
import { isPage, textOf, type Output } from '../emit/output.js'
import type { Report } from '../emit/report.js'
import { findTags } from '../emit/tags.js'
import { publicKeyPem } from '../keys/public.js'
import type { Folder } from '../tree/walk.js'

/** What is told of a seal as of a build. */
const told = [
  'name',
  'build',
  'expires',
  'fingerprints',
  'threshold',
  'oneTimeKey',
  'bootstrap',
  'external',
  'pure',
  'unverified',
  'unchecked',
  'sameOrigin',
] as const

type Told = Pick<Report, (typeof told)[number]>

/** What a seal did, or would do. */
export interface SealReport extends Told {
  /** Whether the folder was sealed so already, and nothing was written. */
  unchanged: boolean
  /** Whether nothing was written because that was asked for. */
  dryRun: boolean
  /** File name of the manifest. */
  manifest: string
  /** Public key of the signature, in PEM. */
  publicKey: string
  /** Where the files will be: a path or a URL, or `''` for wherever the pages are. */
  base: string
  /** Pages that start through a bootstrap. */
  pages: string[]
  /** How many modules they may load. */
  modules: number
  /** Files that have other bytes now. */
  changed: string[]
  /** Files that are new, but for the manifest and the record. */
  added: string[]
  /** What survives, but not as it was. */
  warnings: string[]
}

/** What is known when a seal is made. */
export interface Known {
  output: Output
  release: Release
  folder: Folder
  /** Paths of files that are new or have other bytes. */
  changes: string[]
  warnings: string[]
}

/** Tells what a seal does. */
export function toReport(
  report: Report,
  { output, release, folder, changes, warnings }: Known,
): Omit<SealReport, 'unchanged' | 'dryRun'> {
  const isOld = (path: string) => folder.files.has(path)
  const known = told.filter((name) => report[name] !== undefined)
  return {
    ...(Object.fromEntries(known.map((name) => [name, report[name]])) as unknown as Told),
    manifest: release.manifestName,
    publicKey: publicKeyPem(release.keys[0]!),
    base: release.base,
    pages: [...output.values()]
      .filter((file) => isPage(file.path) && findTags(textOf(file)).some(isBootstrap))
      .map(({ path }) => path),
    modules: report.modules.count,
    changed: changes.filter(isOld),
    added: changes.filter((path) => !isOld(path)),
    warnings,
  }
}
