/** What specifiers mean by the import map that a page has of its own, and how external modules are loaded by it. */
import { SignedImpError } from '../errors.js'
import { meaningOf, scopesOf, type OwnMap } from '../manifest/meaning.js'
import type { Mapped } from './context.js'
import { diagnoseExternal, explainUnresolved } from './external.js'
import { toAbsolute, type Meanings } from './import.js'
import { isLoadFailure } from './load-failure.js'
import { importNatively } from './native-import.js'
import { notEnforceable } from './refuse.js'

const empty = '{"imports":{},"integrity":{}}'

/** Reads the page's own map, with something in the place of its salt. */
const readMap = ({ map = empty }: Mapped, salt: string): OwnMap =>
  JSON.parse(map.replaceAll('#"', salt + '"')) as OwnMap

/**
 * Makes sure that the browser gives each name its meaning: an engine drops the rules for what was loaded before the map.
 * @throws SignedImpError `ERR_SIGNEDIMP_NOT_ENFORCEABLE`
 */
export function proveMeanings(context: Mapped): void {
  for (const [name, address] of Object.entries(readMap(context, context.salt).imports))
    if (address !== null && !name.endsWith('/') && context.resolve(name) !== toUrl(address))
      throw notEnforceable('an earlier module', name)
}

/** Addresses are the page's. */
const toUrl = (address: string): string => new URL(address, document.baseURI).href

/** Makes what finds out the meaning of specifiers. The engine itself knows none in a module's stead. */
export function createMeanings(context: Mapped): Meanings {
  const map = readMap(context, '')
  const scopes = scopesOf(map, document.baseURI)

  const explain = async (url: string, error: TypeError): Promise<unknown> => {
    const found = (await diagnoseExternal(context)) ?? explainUnresolved(url, error)
    if (found) return found
    if (!isLoadFailure(error)) return error
    const reason =
      'the browser refused it or what it imports, and a second fetch saw what is listed'
    return new SignedImpError('ERR_SIGNEDIMP_REFUSED', reason, { path: url, cause: error })
  }

  return {
    mean(from, specifier) {
      const base = context.toUrl(from)
      const url = toUrlLike(specifier, base)
      const meaning = meaningOf(scopes, base, url ? url.href : specifier)
      if (meaning !== undefined) return new URL(toUrl(meaning))
      if (url) return url
      throw new TypeError(`"${specifier}" means nothing in ${from}`)
    },
    load(url, options) {
      if (!Object.hasOwn(map.imports, url) || map.imports[url] !== url) return undefined
      return importNatively(url, options).catch(async (error) => {
        throw error instanceof TypeError ? await explain(url, error) : error
      })
    },
  }
}

function toUrlLike(specifier: string, base: string): URL | undefined {
  try {
    return toAbsolute(specifier, base)
  } catch {
    return undefined
  }
}
