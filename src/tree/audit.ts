/** Whether a deployed site serves what was signed. */
import { createHash } from 'node:crypto'
import { nodeCrypto, hashBytes } from '../crypto/node.js'
import { SignedImpError } from '../errors.js'
import { refuseSharedNames } from '../manifest/distinct.js'
import type { Manifest } from '../manifest/format.js'
import { defaultManifestName, isManifestOf, pageManifestName } from '../manifest/names.js'
import { isSourceMap, pathToUrl } from '../manifest/path.js'
import {
  splitManifest,
  verifyManifest,
  type Trust,
  type VerifiedManifest,
} from '../manifest/verify.js'
import { download, downloadWhole, patience, type Patience } from './fetch.js'
import { each, type Progress } from './hash.js'
import { FilesRefusedError, type FileProblem } from './refused.js'
import { summaryOf, type ManifestSummary } from './report.js'
import { maxManifest } from './stored.js'
import { checkKeys } from './verify.js'

/** How a site is looked at. */
export interface AuditOptions {
  trust: Trust
  /** How many requests at a time. */
  concurrency: number
  progress?: Progress | undefined
  patience?: Patience | undefined
}

/** What a site was found to serve. */
export interface AuditReport extends ManifestSummary {
  /** The address of the manifest. */
  url: string
  /** Bytes that were fetched and checked, without the manifests. */
  bytes: number
  /** Page manifests that the pages name, each verified by its own signatures. */
  pageManifests: string[]
  /** Listed source maps that are not served: they need not be deployed. */
  missingSourceMaps: string[]
}

/** The address of a site's manifest: what is given, or the default name in a folder. */
export function manifestUrl(text: string): string {
  const url = new URL(text)
  url.hash = ''
  return url.pathname.endsWith('/') ? new URL(defaultManifestName, url).href : url.href
}

/**
 * Fetches the manifest of a site, and every file that it lists.
 * @throws FilesRefusedError with every file that is not served as it was signed
 * @throws SignedImpError of the manifest, as `download` and `verifyManifest`
 */
export async function auditSite(url: string, options: AuditOptions): Promise<AuditReport> {
  const { trust, concurrency, progress, patience: bounds = patience } = options
  checkKeys(trust.keys, trust.threshold)
  const main = await verifyManifest(
    await downloadWhole(url, maxManifest, bounds),
    trust,
    nodeCrypto,
  )
  refuseSharedNames(main.files.keys())
  const site: Site = { url, main, trust, bounds, bytes: 0, pages: new Set(), missing: [] }
  const problems: FileProblem[] = []
  const paths = [...main.files.keys()]
  let done = 0
  await inParallel(concurrency, paths, async (path) => {
    const problem = await checkFile(site, path)
    if (problem) problems.push(problem)
    progress?.(++done, paths.length)
  })
  const pageManifests = [...site.pages].sort()
  await inParallel(concurrency, pageManifests, async (path) => {
    const problem = await checkPage(site, path)
    if (problem) problems.push(problem)
  })
  const order = new Map([...paths, ...pageManifests].map((path, at) => [path, at]))
  if (problems.length > 0)
    throw new FilesRefusedError(problems.sort((a, b) => order.get(a.path)! - order.get(b.path)!))
  const { bytes, missing } = site
  return { url, ...summaryOf(main), bytes, pageManifests, missingSourceMaps: missing.sort() }
}

interface Site {
  url: string
  main: VerifiedManifest
  trust: Trust
  bounds: Patience
  bytes: number
  /** Names of page manifests that were seen in pages. */
  pages: Set<string>
  missing: string[]
}

async function inParallel<T>(
  count: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = each(items)
  const worker = async () => {
    for (const item of queue) await work(item)
  }
  await Promise.all(Array.from({ length: count }, worker))
}

const isPage = (path: string): boolean => /\.html?$/i.test(path)

async function checkFile(site: Site, path: string): Promise<FileProblem | undefined> {
  try {
    const { digest, bytes, text } = await fetchFile(site, path)
    site.bytes += bytes
    if (digest !== site.main.files.get(path)) return { path, problem: 'changed' }
    for (const name of namesIn(text, site.url)) site.pages.add(name)
    return undefined
  } catch (error) {
    const problem = problemOf(path, error)
    if (problem.problem !== 'missing' || !isSourceMap(path)) return problem
    site.missing.push(path)
    return undefined
  }
}

/** Largest page whose text is looked at. */
const maxPage = 16 * 2 ** 20

/** Of pages the text too, for what it names. Hosts redirect these (`/index.html` to `/`), and nobody minds. */
const fetchFile = (
  { url, main, bounds }: Site,
  path: string,
): Promise<{ digest: string; bytes: number; text: string }> =>
  download(
    pathToUrl(path, new URL('./', url).href),
    async (chunks) => {
      const sum = createHash(main.hash)
      const kept: Uint8Array[] = []
      let bytes = 0
      for await (const chunk of chunks) {
        sum.update(chunk)
        bytes += chunk.length
        if (isPage(path) && bytes <= maxPage) kept.push(chunk)
      }
      return { digest: sum.digest('hex'), bytes, text: Buffer.concat(kept).toString() }
    },
    { redirect: isPage(path) ? 'follow' : 'error', bounds },
  )

function problemOf(path: string, error: unknown): FileProblem {
  if (!(error instanceof SignedImpError)) throw error
  const { code, reason } = error
  return { path, problem: code === 'ERR_SIGNEDIMP_MISSING' ? 'missing' : 'changed', reason }
}

/** Names of page manifests in the text of a page. */
function namesIn(text: string, url: string): string[] {
  const manifestName = nameOf(url)
  return [...new Set(text.match(/[\w.-]+\.[0-9a-f]{16}\.\w+/g))].filter((name) =>
    isManifestOf(manifestName, name),
  )
}

const nameOf = (url: string): string => decodeURIComponent(new URL(url).pathname.split('/').at(-1)!)

/** Page manifests of pages that are as signed: each must be there, and list what the manifest lists. */
async function checkPage(site: Site, path: string): Promise<FileProblem | undefined> {
  const { url, main, trust, bounds } = site
  try {
    const bytes = await downloadWhole(new URL(path, url).href, maxManifest, bounds)
    const page = await verifyManifest(
      bytes,
      { ...trust, name: main.name, build: undefined },
      nodeCrypto,
    )
    const reason = reasonAgainst(path, page, bytes, site)
    return reason === undefined ? undefined : { path, problem: 'changed', reason }
  } catch (error) {
    return problemOf(path, error)
  }
}

function reasonAgainst(
  path: string,
  page: Manifest,
  bytes: Uint8Array,
  { url, main }: Site,
): string | undefined {
  const { signedText } = splitManifest(bytes)
  if (path !== pageManifestName(nameOf(url), hashBytes('sha256', signedText)))
    return 'it is not named by the hash of its text'
  const stray = [...page.files].find(([file, digest]) => main.files.get(file) !== digest)
  return page.hash === main.hash && stray
    ? `it lists ${stray[0]} otherwise than the manifest`
    : undefined
}
