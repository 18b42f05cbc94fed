/** Makes the import maps of a page part of the one that its bootstrap puts together. */
import { SignedImpError } from '../errors.js'
import type { OwnMap } from '../manifest/meaning.js'
import { isModulePath } from '../manifest/path.js'
import { createNames, type FoldSite } from './fold-names.js'
import type { ForeignImport } from './foreign.js'
import { nameForeign } from './name-foreign.js'
import { isOwnUrl } from './graph.js'
import { nameOfInline } from './judge.js'
import type { Uncovered } from './output.js'
import {
  isIntegrity,
  readImportMaps,
  whyNotExternal,
  type Refuse,
  type WrittenMap,
} from './own-map.js'
import type { Tag } from './tags.js'

/** What becomes of the import maps of a page. */
export interface Folded {
  /** An {@link OwnMap} for the bootstrap, or undefined where there is nothing to say. */
  text: string | undefined
  /** Files of the output that the map names, so that the page checks them. */
  targets: string[]
  /** Integrity metadata of external modules by URL. */
  external: ReadonlyMap<string, string>
  uncovered: Uncovered[]
}

/** A page that starts nothing keeps its maps, which then are what they are. */
export const notFolded = (maps: Tag[]): Folded => ({
  text: undefined,
  targets: [],
  external: new Map(),
  uncovered: maps.map((tag) => {
    const name = tag.attributes.get('src') ?? nameOfInline(tag)
    return { name, reason: 'an import map of a page that starts nothing of this build' }
  }),
})

/**
 * Reads a page's import maps, and finds what they mean.
 * @param module the page's first module script
 * @param foreign what the page's modules import from outside of the output
 * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` on a map that could weaken what is checked, or that browsers do not all
 *   read alike, and on static imports that it gives no meaning
 */
export function foldMaps(
  maps: Tag[],
  module: Tag,
  foreign: readonly ForeignImport[],
  site: FoldSite,
): Folded {
  const refuse: Refuse = (what) => {
    const reason = `has an import map that cannot become part of the page's: ${what}`
    throw new SignedImpError('ERR_SIGNEDIMP_OUTPUT', reason, { path: site.path })
  }
  for (const { attributes, start } of maps) {
    if (attributes.has('src')) refuse('it is a file of its own ("src"), which no browser reads')
    if (start > module.start)
      refuse('it stands behind a module script, where not all browsers take it; put it first')
  }
  const texts = maps.map(({ text }) => text)
  return fold(readImportMaps(texts, refuse), foreign, site, refuse)
}

function fold(
  written: WrittenMap,
  foreign: readonly ForeignImport[],
  site: FoldSite,
  refuse: Refuse,
): Folded {
  const external = readIntegrity(written.integrity, site, refuse)
  const names = createNames(written, external, site, refuse)
  const listed = [...written.integrity.keys()].flatMap((address) => site.resolve(address) ?? [])
  const imports = names.fold(written.imports, '')
  const scopes = new Map(
    [...written.scopes].map(([prefix, table]) => [
      names.toScope(prefix),
      Object.fromEntries(names.fold(table, prefix)),
    ]),
  )
  if (scopes.size < written.scopes.size) refuse('two of its scopes are one')
  for (const url of external.keys()) names.allow(imports, url)
  const toMap = (): OwnMap => ({
    imports: Object.fromEntries(imports),
    ...(scopes.size > 0 && { scopes: Object.fromEntries(scopes) }),
    integrity: Object.fromEntries([...external].map(([url, value]) => [`${url}#`, value])),
  })
  for (const [url, by] of nameForeign(toMap(), foreign, site)) names.allow(imports, url, by)
  for (const url of names.unchecked.keys()) names.allow(imports, url)
  return {
    text: imports.size + scopes.size > 0 ? JSON.stringify(toMap()) : undefined,
    targets: [...new Set([...names.targets, ...listed])],
    external,
    uncovered: [...names.unchecked].map(([name, by]) => ({ name, reason: noHash(by) })),
  }
}

const noHash = (by: string): string =>
  `an external module without a hash, which ${by}; the option "external" can have one`

/** The external modules whose hash is known. What is said of files of the output must be so. */
function readIntegrity(
  integrity: WrittenMap['integrity'],
  site: FoldSite,
  refuse: Refuse,
): Map<string, string> {
  const external = new Map(site.external)
  for (const [address, value] of integrity) {
    const tokens = value.split(/[ \t\n\f\r]+/)
    if (!tokens.every(isIntegrity))
      refuse(`the integrity of "${address}" is "${value}", which browsers do not all obey`)
    const path = site.resolve(address)
    const url = site.locate(address)
    if (path !== undefined) checkListed(path, tokens, site, refuse)
    else if (url === undefined || isOwnUrl(url, site.base))
      refuse(`it has integrity for "${address}", which is no file of this build`)
    else if (whyNotExternal(new URL(url)) !== undefined)
      refuse(`it has integrity for "${address}", which ${whyNotExternal(new URL(url))}`)
    else if ((external.get(url) ?? value) !== value)
      refuse(`the integrity of "${address}" is another one in the option "external"`)
    else external.set(url, value)
  }
  return external
}

/** A file's hash is the manifest's, which is of one kind. */
function checkListed(path: string, tokens: string[], site: FoldSite, refuse: Refuse): void {
  const own = site.integrityOf(path)
  const [kind] = own.split('-')
  const alike = tokens.filter((token) => token.startsWith(`${kind}-`))
  if (alike.length === 0)
    refuse(
      `the integrity of ${path} is of another kind than the manifest's (${kind}); leave it out`,
    )
  if (!alike.includes(own))
    refuse(`the integrity of ${path} is not that of the file in this build; leave it out`)
  if (!isModulePath(path)) refuse(`it has integrity for ${path}, which is no module by its name`)
}
