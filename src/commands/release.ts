import type { ManifestSummary } from '../tree/report.js'

/** What a manifest says, for {@link columns}. */
export const releaseRows = ({
  name,
  build,
  expires,
  hash,
  files,
}: ManifestSummary): [word: string, value: string | number | undefined][] => [
  ['name', name],
  ['build', build],
  ['expires', expires],
  ['hash', hash],
  ['files', files],
]
