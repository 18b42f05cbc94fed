/** What names mean by an import map of a page's own, once a build has read it. */

/** Names, and the addresses that they mean. `null` stands for none, whatever the map says elsewhere. */
export type Names = Readonly<Record<string, string | null>>

/**
 * The page's own import map, as the bootstrap's tag carries it (`data-map`): exact names only, and folders (with a slash
 * at the end) that mean nothing. An address that ends in `#` gets the page's salt there.
 */
export interface OwnMap {
  imports: Names
  scopes?: Readonly<Record<string, Names>>
  /** Integrity metadata (SRI §3.1) of modules that are not of the build. */
  integrity: Readonly<Record<string, string>>
}

/** Names, for modules at an address, or below it if it ends in a slash; `''` is for all. */
export type Scope = readonly [prefix: string, names: Names]

/** The scopes of a map in the order in which they are asked (HTML, "sort and normalize scopes"). @param base of the page */
export const scopesOf = ({ imports, scopes = {} }: OwnMap, base: string): Scope[] => [
  ...Object.entries(scopes)
    .map(([prefix, names]) => [new URL(prefix, base).href, names] as const)
    .sort(([a], [b]) => (a < b ? 1 : -1)),
  ['', imports],
]

/** The address that a name means in the module at the URL `from`, if it means one. @param name a URL as URLs are parsed */
export function meaningOf(scopes: Scope[], from: string, name: string): string | undefined {
  for (const [prefix, names] of scopes) {
    if (prefix !== from && !(/^$|\/$/.test(prefix) && from.startsWith(prefix))) continue
    if (Object.hasOwn(names, name)) return names[name] ?? undefined
    if (Object.keys(names).some((key) => key.endsWith('/') && name.startsWith(key)))
      return undefined
  }
  return undefined
}
