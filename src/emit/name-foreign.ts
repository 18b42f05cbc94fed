import { SignedImpError } from '../errors.js'
import { meaningOf, scopesOf, type OwnMap } from '../manifest/meaning.js'
import type { FoldSite } from './fold-names.js'
import { toName, type ForeignImport } from './foreign.js'
import { whyNotExternal } from './own-map.js'

/**
 * Finds out what a page's import map makes of what its modules import from outside of the output.
 * @param map as the bootstrap will have it
 * @returns URLs that it does not have, and who imports them
 * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` on static imports of names that mean nothing, or that a redirect could
 *   make mean something else
 */
export function nameForeign(
  map: OwnMap,
  foreign: readonly ForeignImport[],
  site: FoldSite,
): Map<string, string> {
  const scopes = scopesOf(JSON.parse(JSON.stringify(map).replaceAll('#"', '"')), site.locate('')!)
  const others = new Map<string, string>()
  for (const { from, specifier, isStatic } of foreign) {
    const name = toName(specifier)
    const found = meaningOf(scopes, site.urlOf(from), name)
    const url = found === undefined && isUrl(name) ? name : undefined
    if (url !== undefined && (isStatic || site.isAccepted(url))) others.set(url, `${from} imports`)
    if (!isStatic || url !== undefined) continue
    if (found === undefined) throw nameless(from, specifier, site.path)
    const all = scopes.flatMap(([, names]) => (Object.hasOwn(names, name) ? names[name]! : []))
    const other = all.find((meaning) => meaning !== found)
    if (other !== undefined) throw ambiguous(from, specifier, found, other)
  }
  return others
}

const isUrl = (name: string): boolean =>
  URL.canParse(name) && whyNotExternal(new URL(name)) === undefined

const nameless = (from: string, specifier: string, page: string): SignedImpError =>
  new SignedImpError(
    'ERR_SIGNEDIMP_OUTPUT',
    `imports "${specifier}", which is no module of this build and means nothing to ${page}; bundle it, or give it a meaning in an import map of that page`,
    { path: from },
  )

const ambiguous = (from: string, specifier: string, one: string, other: string): SignedImpError =>
  new SignedImpError(
    'ERR_SIGNEDIMP_OUTPUT',
    `imports "${specifier}", which a redirect could turn from ${one} into ${other}, by the scopes of an import map; give the two different names`,
    { path: from },
  )
