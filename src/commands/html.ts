import { existsSync, lstatSync, readFileSync, realpathSync } from 'node:fs'
import { basename, dirname, join, relative, sep } from 'node:path'
import type { TrustedKey } from '../crypto/key.js'
import { isPattern } from '../emit/coverage.js'
import { startLater, type LaterPage, type LaterRelease } from '../emit/later.js'
import { isPage, textOf } from '../emit/output.js'
import { arePure, needsRsa, readPageCode } from '../emit/page-code.js'
import { SignedImpError } from '../errors.js'
import { loadPublicKey } from '../keys/public.js'
import { defaultManifestName, isManifestName } from '../manifest/names.js'
import { pathToRelativeUrl } from '../manifest/path.js'
import type { Signer } from '../manifest/sign.js'
import type { Trust } from '../manifest/verify.js'
import { addSigned } from '../tree/add.js'
import { copiesOf } from '../tree/copies.js'
import type { ManifestSummary } from '../tree/report.js'
import { emittedPath } from '../tree/system-path.js'
import { readVerified, type VerifiedFolder } from '../tree/verify.js'
import { UsageError, wholeNumber } from './arguments.js'
import { columns, defineCommand, json, type Command, type Output } from './command.js'
import { openKey, refuseKeyInside } from './key.js'
import { releaseRows } from './release.js'

/** Makes pages of a signed folder. */
export const html: Command = defineCommand({
  meta: {
    name: 'html',
    description:
      "Make pages start the entries of a signed folder through the bootstrap, and sign the folder anew; for builds with html: 'later'",
  },
  args: {
    file: { type: 'positional', multiple: true, description: 'The pages, one or several' },
    key: {
      type: 'string',
      required: true,
      valueHint: 'file',
      description: 'The private key, which has signed the folder',
    },
    dir: {
      type: 'string',
      valueHint: 'folder',
      description: 'The folder: else the nearest one at or above the pages that has the manifest',
    },
    accept: {
      type: 'string',
      multiple: true,
      valueHint: 'file.pub',
      description: 'A public key that pages accept too, as in the build; may be repeated',
    },
    threshold: {
      type: 'string',
      valueHint: 'number',
      description: 'How many of the keys must have signed, as in the build: else 1',
    },
    inline: {
      type: 'enum',
      options: ['true', 'false', 'all'],
      description:
        'How pages carry the bootstrap: else true, in the HTML; false links it; all adds the page manifest',
    },
    policy: {
      type: 'enum',
      options: ['strict-dynamic', 'self'],
      description:
        'Which Content-Security-Policy pages are made for: else strict-dynamic; self gives the hash of each import map',
    },
    pure: {
      type: 'boolean',
      description: 'Let pages do without https, as in a build with pure: true',
    },
    unverified: {
      type: 'string',
      multiple: true,
      valueHint: 'name',
      description: 'Code of the pages that nothing checks and that you accept; may be repeated',
    },
    name: {
      type: 'string',
      description: 'The name that the folder must carry: else any that the key has signed',
    },
    build: { type: 'string', valueHint: 'number', description: 'The lowest build to accept' },
    manifest: {
      type: 'string',
      valueHint: 'name',
      description: "The manifest's file name: else signedimp-manifest.txt",
    },
    json,
  },
  async run({ file, key, dir, accept = [], name, manifest, ...how }): Promise<Output> {
    const threshold = wholeNumber('--threshold', how.threshold) ?? 1
    const wanted = { name, build: wholeNumber('--build', how.build) }
    const inline = inlines[how.inline ?? 'true']
    const { policy = 'strict-dynamic', unverified = [] } = how
    const manifestName = manifest ?? defaultManifestName
    checkUsage({ threshold, inline, unverified, manifestName })
    const files = new Map(file.map((given) => [locatePage(given), given]))
    const folder =
      dir === undefined ? findFolder([...files.keys()], manifestName) : realpathSync(dir)
    const signer = await openKey(key)
    await refuseKeyInside(folder, key)
    const keys = await readKeys(signer, accept, threshold)
    if (how.pure && !arePure(keys)) throw new UsageError(`--pure ${needsRsa}`)
    const page = await readPageCode(keys, how.pure ?? false)
    const release = { signer, keys, threshold, manifestName, inline, policy, unverified, page }
    const report = await makePages(folder, files, release, wanted)
    return { data: report, lines: lines(report), words: words(report, threshold, name) }
  },
})

/** The values of --inline, as options have them. */
export const inlines = { true: true, false: false, all: 'all' } as const

function checkUsage({
  threshold,
  inline,
  unverified,
  manifestName,
}: Pick<LaterRelease, 'threshold' | 'inline' | 'unverified' | 'manifestName'>): void {
  if (threshold === 0) throw new UsageError('--threshold must be at least 1')
  if (inline === 'all' && threshold > 1)
    throw new UsageError('--inline all puts one signature into the pages, so --threshold must be 1')
  if (!isManifestName(manifestName))
    throw new UsageError('--manifest must be a file name without folders')
  const wide = unverified.find((pattern) => !isPattern(pattern))
  if (wide !== undefined)
    throw new UsageError(`--unverified ${wide} must name something, and not only *`)
}

/** The real path of a page. A link as such would be replaced by a file. */
function locatePage(file: string): string {
  if (!isPage(file)) throw new UsageError(`${file} must be a page, whose name ends in .html`)
  if (!lstatSync(file).isFile())
    throw new UsageError(`${file} must be a file, and no link or folder`)
  return join(realpathSync(dirname(file)), basename(file))
}

function findFolder(files: readonly string[], manifestName: string): string {
  const found = new Set(files.map((file) => nearest(dirname(file), manifestName)))
  const [folder] = found
  if (found.size === 1 && folder !== undefined) return folder
  throw new UsageError(
    `the pages are not all in one folder that has ${manifestName}; give it as --dir`,
  )
}

function nearest(from: string, name: string): string | undefined {
  for (let dir = from, above; dir !== above; above = dir, dir = dirname(dir))
    if (existsSync(join(dir, name))) return dir
  return undefined
}

async function readKeys(
  { key }: Signer,
  accept: readonly string[],
  threshold: number,
): Promise<TrustedKey[]> {
  const others = accept.map((file) => loadPublicKey(file, { option: '--accept' }))
  const keys = new Map(
    [key, ...(await Promise.all(others))].map((each) => [each.fingerprint, each]),
  )
  if (threshold > keys.size)
    throw new UsageError(`--threshold is more than the number of different keys, ${keys.size}`)
  return [...keys.values()]
}

/** A page that was made. */
interface MadePage {
  /** As it was named. */
  file: string
  /** Its path in the folder, if it lies there and so is listed. */
  path?: string
  entries: string[]
  pageManifest: string
  /** Sources of its import map for a Content-Security-Policy, with --policy self. */
  importMap?: readonly string[]
}

interface HtmlReport extends ManifestSummary {
  /** The folder. */
  dir: string
  manifest: string
  signer: string
  pages: MadePage[]
  /** Source of the bootstrap for a Content-Security-Policy, when it is inline. */
  bootstrap?: string
  unverified: LaterPage['accepted']
}

/**
 * Makes the pages, and writes them if all could be made.
 * @param files as they were named, by their real paths
 * @param wanted what the folder must be, beside being signed
 */
async function makePages(
  dir: string,
  files: ReadonlyMap<string, string>,
  release: LaterRelease & { signer: Signer },
  wanted: Pick<Trust, 'name' | 'build'>,
): Promise<HtmlReport> {
  const { signer, manifestName, inline } = release
  const paths = new Map([...files.keys()].map((file) => [emittedPath(relative(dir, file)), file]))
  const trust = { keys: [signer.key], threshold: 1, ...wanted }
  const folder = await readVerified(dir, trust, manifestName, new Set(paths.keys()))
  const made = new Map<string, LaterPage>()
  for (const [path, file] of paths) {
    refuseCopies(path, folder)
    const signed = { ...folder, place: placeOf(dir, path) }
    made.set(
      path,
      await startLater(path, textOf({ path, source: readFileSync(file) }), signed, release),
    )
  }
  const all = [...made]
  const written = new Map([
    ...all.flatMap(([, page]) => [...page.files]),
    ...all.map(([path, page]) => [path, page.html] as const),
  ])
  const summary = await addSigned(dir, manifestName, folder, written, signer)
  return {
    dir,
    manifest: manifestName,
    ...summary,
    signer: signer.key.fingerprint,
    pages: all.map(([path, page]) => describe(path, files.get(paths.get(path)!)!, page)),
    ...(inline !== false && { bootstrap: all[0]![1].bootstrap.integrity }),
    unverified: all.flatMap(([, { accepted }]) => accepted),
  }
}

const isOutside = (path: string): boolean => path.startsWith('../')

const describe = (
  path: string,
  file: string,
  { entries, manifest, hashes }: LaterPage,
): MadePage => ({
  file,
  ...(!isOutside(path) && { path }),
  entries,
  pageManifest: manifest,
  ...(hashes.length > 0 && { importMap: hashes }),
})

/** Where a folder is for a page outside of it: below the nearest folder that holds both. */
function placeOf(dir: string, path: string): string {
  const ups = path.split('/').filter((segment) => segment === '..').length
  const names = ups === 0 ? [] : dir.split(sep).slice(-ups)
  return names.map((name) => `/${pathToRelativeUrl(name).slice(2)}`).join('') + '/'
}

/** Servers would send the copy of a page in its place. */
function refuseCopies(path: string, { main }: VerifiedFolder): void {
  const copy = copiesOf(path).find((other) => main.files.has(other))
  const reason = `is a compressed copy of ${path} as it is now; compress pages after they are made, and sign then`
  if (copy !== undefined) throw new SignedImpError('ERR_SIGNEDIMP_OUTPUT', reason, { path: copy })
}

const lines = (report: HtmlReport): string[] =>
  columns([
    ...report.pages.flatMap(({ file, entries, pageManifest, importMap }): [string, string][] => [
      ['page', file],
      ...entries.map((path): [string, string] => ['entry', path]),
      ['page manifest', pageManifest],
      ...(importMap ? [['import map', importMap.join(' ')] as [string, string]] : []),
    ]),
    ['manifest', report.manifest],
    ...releaseRows(report),
    ['signer', report.signer],
    ['bootstrap', report.bootstrap && `'${report.bootstrap}'`],
    ...report.unverified.map(({ name, reason }): [string, string] => [
      'UNVERIFIED',
      `${name}: ${reason}`,
    ]),
  ])

const words = (
  { dir, manifest, name, pages, bootstrap }: HtmlReport,
  threshold: number,
  wanted: string | undefined,
): string[] => [
  `Signed ${join(dir, manifest)}${wanted === undefined ? ` for "${name}"; give --name to accept no other` : ''}.`,
  ...pages
    .filter(({ path }) => path === undefined)
    .map(({ file }) => `${file} is outside of the folder, so that no manifest lists it.`),
  ...(bootstrap ? ['The hash of the bootstrap is for a Content-Security-Policy.'] : []),
  ...(pages.some(({ importMap }) => importMap)
    ? ["The hashes of a page's import map are for its Content-Security-Policy, too."]
    : []),
  ...(threshold > 1
    ? [`Pages need ${threshold} signatures; add the others with signedimp sign.`]
    : []),
]
