import { SignedImpError } from '../errors.js'
import { refuseSharedNames } from '../manifest/distinct.js'
import type { Changes } from './changes.js'
import type { Release } from './release.js'
import type { FixedMap } from './fixed-map.js'
import { headersFiles } from './forms.js'
import { hasHost } from './graph.js'
import { decode, isPage, textOf, type Output, type OutputFile } from './output.js'
import { createPolicy, trustedOf, type PolicyNeeds } from './policy.js'
import { writers } from './servers.js'

/** Headers by name. */
export type Headers = Record<string, string>

/** How an output is to be served. */
export interface SiteHeaders {
  /** By path. */
  files: ReadonlyMap<string, Headers>
  /** Of whatever else there may be. */
  fallback: Headers
  /** Path of a file in its URL, not escaped. */
  toUrlPath(path: string): string
}

/** Texts by path, and what they leave out. */
export interface WrittenHeaders {
  texts: Map<string, string>
  warnings: string[]
}

/**
 * Writes, in each form that is asked for, with which headers a finished output is to be served.
 * @param hasWorkers whether the output has workers, and all that it may start come from blobs
 */
export function writeHeaders(
  output: Output,
  release: Release,
  maps: ReadonlyMap<string, FixedMap>,
  hasWorkers = false,
): WrittenHeaders {
  const written: WrittenHeaders = { texts: new Map(), warnings: [] }
  if (release.headers.length === 0) return written
  const site = createSiteHeaders(output, release, maps, written.warnings, hasWorkers)
  for (const form of new Set(release.headers)) {
    const { text, warnings = [] } = writers[form](site)
    written.texts.set(headersFiles[form], text)
    written.warnings.push(...warnings)
  }
  return written
}

const revalidated = 'no-cache'
const immutable = 'public, max-age=31536000, immutable'

/** What every file of an output is to be served with. What is not known to be named by its content is asked for again. */
export function createSiteHeaders(
  output: Output,
  { base, manifestName, policy }: Pick<Release, 'base' | 'manifestName' | 'policy'>,
  maps: ReadonlyMap<string, FixedMap>,
  warnings: string[],
  hasWorkers = false,
): SiteHeaders {
  const files = new Map<string, Headers>()
  const hasWasm = [...output.keys()].some((path) => path.endsWith('.wasm'))
  const has = { hasWasm, hasWorkers }
  const shared = shareHeaders(output, base, warnings)
  for (const file of output.values())
    files.set(
      file.path,
      isPage(file.path)
        ? {
            ...policyOf(
              file,
              { ...has, trusted: trustedOf(policy, maps.get(file.path)) },
              warnings,
            ),
            'Cache-Control': revalidated,
          }
        : { ...ownHeaders(file), ...shared },
    )
  files.set(manifestName, { 'Cache-Control': revalidated, ...shared })
  return { files, fallback: { 'Cache-Control': revalidated }, toUrlPath: createToUrlPath(base) }
}

const ownHeaders = ({ path, isContentNamed }: OutputFile): Headers => ({
  'Cache-Control': isContentNamed ? immutable : revalidated,
  // A module under another type is refused in any case.
  ...(/\.m?js$/.test(path) ? { 'X-Content-Type-Options': 'nosniff' } : {}),
})

function policyOf(file: OutputFile, needs: PolicyNeeds, warnings: string[]): Headers {
  const text = decode(file.fixed ?? textOf(file))
  const found = text === undefined ? notUtf8 : createPolicy(text, needs)
  if ('policy' in found) return { 'Content-Security-Policy': found.policy }
  warnings.push(
    `headers: ${file.path} gets no Content-Security-Policy, which would block what it has: ${found.hindrance}`,
  )
  return {}
}

const notUtf8 = { hindrance: 'a text that is not in UTF-8' }

/** Pages may read what is on another origin only where that says so. */
function shareHeaders(output: Output, base: string, warnings: string[]): Headers {
  if (!hasHost(base)) return {}
  const isPrivate = [...output.values()].some(
    (file) => isPage(file.path) && /\bcrossorigin\s*=\s*["']?use-credentials/i.test(textOf(file)),
  )
  if (!isPrivate) return { 'Access-Control-Allow-Origin': '*' }
  warnings.push(
    'headers: no Access-Control-Allow-Origin, because pages ask with credentials, for which it must name their origin: add it by hand',
  )
  return {}
}

/** Pages lie at the root of their host where the base is another host's. */
function createToUrlPath(base: string): SiteHeaders['toUrlPath'] {
  const prefix = decodeURIComponent(new URL(base || '/', 'https://output.invalid').pathname)
  return (path) => (hasHost(base) && isPage(path) ? '/' : prefix) + path
}

/**
 * Takes the texts into an output.
 * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` where the app has a file of that name
 */
export function addHeaders({ texts }: WrittenHeaders, output: Output, { change }: Changes): void {
  for (const [path, text] of texts) {
    if (output.has(path)) throw takenByApp(path)
    change(path, text)
  }
  refuseSharedNames(output.keys())
}

/** The refusal to write over what somebody else says of headers. */
export const takenByApp = (path: string): SignedImpError =>
  new SignedImpError(
    'ERR_SIGNEDIMP_OUTPUT',
    `is there already, and the option "headers" would write over it; leave that form out, and add by hand what the form 'json' says`,
    { path },
  )
