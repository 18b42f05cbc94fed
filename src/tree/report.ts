import type { Manifest } from '../manifest/format.js'

/** What a manifest says, in short. */
export interface ManifestSummary extends Omit<Manifest, 'files' | 'imports'> {
  /** How many files the manifest lists. */
  files: number
}

/** A manifest in short. */
export function summaryOf({ hash, name, build, expires, files }: Manifest): ManifestSummary {
  return {
    hash,
    name,
    ...(build !== undefined && { build }),
    ...(expires !== undefined && { expires }),
    files: files.size,
  }
}
