/** What of the options is for pages, and for no program. */
import type { ResolvedOptions, SignedImpOptions } from './options.js'

/** Options that say how pages load what is signed. */
export const pageOptions = [
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
