import type { Manifest } from '../manifest/format.js'

/** What a manifest says, in short. */
export interface ManifestSummary extends Omit<Manifest, 'files' | 'imports'> {
  /** How many files the manifest lists. */
  files: number
}

/** A manifest in short. */
export function summaryOf({ imports: _, files, ...release }: Manifest): ManifestSummary {
  return { ...release, files: files.size }
}
