import type { Release } from '../emit/release.js'
import { isBootstrap } from '../emit/later-entries.js'
import { isPage, textOf, type Output } from '../emit/output.js'
import type { Report } from '../emit/report.js'
import { findTags } from '../emit/tags.js'
import { publicKeyPem } from '../keys/public.js'
import type { Folder } from '../tree/walk.js'
import type { SealReport } from './types.js'

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
    ...(Object.fromEntries(known.map((name) => [name, report[name]])) as unknown as Pick<
      SealReport,
      (typeof told)[number]
    >),
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
