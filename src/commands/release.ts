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

/** How many days before its end a release is called a late one. */
const warnDays = 14

/** What to tell of a release that pages will soon refuse, or refuse already. */
export function expiryWords({ expires }: Pick<ManifestSummary, 'expires'>): string[] {
  if (expires === undefined) return []
  const days = (Date.parse(expires) - Date.now()) / 86_400_000
  if (days > warnDays) return []
  if (days <= 0) return [`Expired at ${expires}: every page refuses it.`]
  const left = days < 1 ? 'in less than a day' : `in ${Math.floor(days)} days`
  return [
    `Expires ${left}, at ${expires}; from then on every page refuses it. Sign a new release before.`,
  ]
}
