/** What of the options is for pages, and for no program. */
import type { ResolvedOptions, SignedImpOptions } from './options.js'

/** Options that say how pages load what is signed. */
export const pageOptions = [
  'remember',
  'inline',
  'html',
  'tags',
  'policy',
  'pure',
  'workersFirst',
  'headers',
  'external',
  'fallback',
  'reportTo',
  'resources',
] as const satisfies readonly (keyof SignedImpOptions)[]

/** @throws TypeError on options that a build of a program cannot follow */
export function refusePageOptions({ forPages: [option] }: ResolvedOptions): void {
  if (option === undefined) return
  throw new TypeError(
    `signedImp: "${option}" must be left out of a build for servers: it is for pages`,
  )
}

/** @throws TypeError on options for the build's own pages, where somebody else writes the pages */
export function refuseOtherPages({ html, ...given }: SignedImpOptions): void {
  if (html === 'later' && given.external)
    throw new TypeError(
      'signedImp: "external" must be left out with html: \'later\', for entries run nothing external; the import map of a page can have hashes',
    )
  const option = (['tags', 'remember'] as const).find((name) => given[name])
  if (option && html === 'later')
    throw new TypeError(
      `signedImp: "${option}" is for the build's own pages, and html: 'later' makes none of them`,
    )
  if (given.mode === 'report-only' && (html === 'later' || html === 'backend'))
    throw new TypeError(
      `signedImp: "mode" must be 'on' or 'off' with html: '${html}': 'report-only' is for the build's own pages`,
    )
  if (given.fallback && html === 'backend')
    throw new TypeError(
      `signedImp: "fallback" is for the build's own pages, and with html: 'backend' there are none; write it into the template`,
    )
  if (given.policy && html === 'later')
    throw new TypeError(
      `signedImp: "policy" is for the build's own pages, and html: 'later' makes none of them; give --policy to signedimp html`,
    )
}
