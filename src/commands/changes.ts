import type { FileChanges } from '../tree/release.js'

/** Changes of files, one a line, and how many there are. */
export const changeLines = ({ added, removed, changed }: FileChanges): string[] => [
  ...added.map((path) => `added     ${path}`),
  ...removed.map((path) => `removed   ${path}`),
  ...changed.map((path) => `changed   ${path}`),
  `${added.length} added, ${removed.length} removed, ${changed.length} changed`,
]
