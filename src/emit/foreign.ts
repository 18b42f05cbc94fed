/** Imports by modules of an output of what is not of it: names, and modules on other hosts. */
import { SignedImpError } from '../errors.js'
import type { LinkedModules } from './modules.js'
import { whyNotExternal } from './own-map.js'
import { reach } from './reach.js'

/** An import that only a page's import map gives a meaning. */
export interface ForeignImport {
  /** Path of the importing module. */
  from: string
  specifier: string
  isStatic: boolean
}

/** Whether a specifier is a name, or the URL of an external module, as opposed to a URL near the importing module. */
export function isForeign(specifier: string): boolean {
  if (/^(\.{0,2}\/|data:|blob:)/i.test(specifier)) return false
  if (!URL.canParse(specifier)) return true
  const url = new URL(specifier)
  return isOpaque(url) || whyNotExternal(url) === undefined
}

/** Whether a URL is of a kind that has no hosts or folders, such as `npm:react`. */
export const isOpaque = ({ host, pathname }: URL): boolean =>
  host === '' && !pathname.startsWith('/')

/** A specifier as import maps have it: URLs as they are parsed. */
export const toName = (specifier: string): string =>
  URL.canParse(specifier) ? new URL(specifier).href : specifier

/** What the modules that a page may load import from outside of the output. @param entries main chunks of the page */
export function foreignOf(linked: LinkedModules, entries: readonly string[]): ForeignImport[] {
  const all = [...linked.foreign.values()].flat()
  if (all.length === 0) return all
  const reached = entries.map((entry) => reach(entry, linked))
  return all.filter(({ from }) => reached.some((paths) => paths?.has(from) ?? true))
}

/**
 * Refuses static imports from outside of an output with entries that start by themselves: they link modules in memory, where
 * no import map says what anything means.
 * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT`
 */
export function refuseBesideEntries(linked: LinkedModules): void {
  const [item] = staticIn(linked)
  if (item)
    throw new SignedImpError(
      'ERR_SIGNEDIMP_OUTPUT',
      `imports "${item.specifier}", which is no module of this build; in a build with entries that no page of it starts, nothing may be external: bundle it`,
      { path: item.from },
    )
}

/**
 * Refuses static imports from outside of an output by what no page of it loads.
 * @param loaded what pages load, whose import maps were asked
 * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT`
 */
export function refuseUnloaded(linked: LinkedModules, loaded: readonly ForeignImport[]): void {
  const item = staticIn(linked).find((one) => !loaded.includes(one))
  if (item) throw outside(item.from, item.specifier)
}

const staticIn = ({ foreign }: LinkedModules): ForeignImport[] =>
  [...foreign.values()].flat().filter(({ isStatic }) => isStatic)

/** The refusal of an import that means nothing to any page. */
export const outside = (from: string, specifier: string): SignedImpError =>
  new SignedImpError(
    'ERR_SIGNEDIMP_OUTPUT',
    `imports "${specifier}", which is no module of this build, so a page would refuse it; bundle it instead of leaving it external`,
    { path: from },
  )
