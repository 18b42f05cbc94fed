import type { TrustedKey } from '../crypto/key.js'
import { hashBytes } from '../crypto/node.js'
import type { Release } from './release.js'
import { guardedPattern } from './guarded.js'
import { toLiteral, type Entry } from '../manifest/linking.js'
import type { Remember } from '../manifest/options.js'
import type { WorkerPlan } from '../manifest/worker-plan.js'
import { markUtf8, toAscii } from './rewrite.js'

/** What the package ships for pages, as built. */
export interface PageCode {
  /** The bootstrap, without keys. */
  bootstrap: string
  /** The runtime: what the bootstrap starts, and the chunks import with. */
  runtime: string
  /** The module form of the bootstrap, without keys and without an entry. */
  module: string
  /** Its runtime where a late import map is obeyed. */
  late: string
  /** The runtime of both that links in memory. */
  blob: string
  /** The runtime of pages that loads modules by tags. */
  tags: string
  /** What guards workers, without what the build knows of these. */
  workers: string
  /** What guards `fetch`, without the pattern of what it guards. */
  fetch: string
  /** Whether the bootstraps can do without the engine's cryptography. */
  pure: boolean
  /** Whether the bootstraps remember builds, and what where the browser gives no storage. */
  remember?: Remember | undefined
}

/** A file of ours in an output, named by its content. */
export interface OwnFile {
  fileName: string
  code: string
}

/** The bootstrap with its keys in it: the same for every page and release of the same keys. */
export interface Bootstrap {
  /** As it stands in a page. */
  code: string
  /** Integrity metadata of `code`, which is its hash source in a Content-Security-Policy. */
  integrity: string
  /** As pages link it. */
  linked: OwnFile
  runtime: OwnFile
  late: OwnFile
  blob: OwnFile
  tags: OwnFile
  fetch: OwnFile
}

const pinnedSlot = '__SIGNEDIMP_PINNED__'
const workersSlot = '__SIGNEDIMP_WORKERS__'
const guardedSlot = '__SIGNEDIMP_GUARDED__'
const entrySlot = '__SIGNEDIMP_ENTRY__'

/** What stands last in the built module form. */
export const handsOn = /export\{([\w$]+) as __signedimpMain\};?$/

/**
 * Puts keys into the built bootstrap.
 * @param guarded pattern of the files that `fetch` checks
 */
export function createBootstrap(
  page: PageCode,
  keys: readonly TrustedKey[],
  threshold: number,
  guarded: RegExp = guardedPattern({}),
): Bootstrap {
  const pinned = toPinned(page, keys, threshold)
  const code = fill(page.bootstrap.trim(), pinnedSlot, pinned)
  // Other keys make another runtime, and so another text and name of the page manifest, whose signature differs.
  const mark = `\n//${hashBytes('sha256', pinned).slice(0, 16)}`
  return {
    code,
    integrity: toIntegrity('sha256', hashBytes('sha256', code)),
    linked: nameByContent('signedimp', code),
    runtime: nameByContent('signedimp-runtime', page.runtime.trim() + mark),
    late: nameByContent('signedimp-late', page.late.trim() + mark),
    blob: nameByContent('signedimp-blob', page.blob.trim() + mark),
    tags: nameByContent('signedimp-tags', page.tags.trim() + mark),
    fetch: nameByContent(
      'signedimp-fetch',
      fill(page.fetch.trim(), guardedSlot, toAscii(JSON.stringify(guarded.source))) + mark,
    ),
  }
}

/** What a bootstrap knows of who signs, as it stands in it. */
const toPinned = (
  { remember }: Pick<PageCode, 'remember'>,
  keys: readonly TrustedKey[],
  threshold: number,
): string => toLiteral({ keys, threshold, ...(remember && { remember }) })

/** Files that guard workers: one for pages, one for entries that no page of the build starts; or none. */
export interface Guards {
  pages: OwnFile[]
  entries: OwnFile[]
}

/**
 * Makes what guards workers.
 * @param plan what pages know of workers. Entries know what they may load from their own lists, and nothing else: so their
 *   files stay the same when other code names other workers
 */
export function createGuards({ workers }: Pick<PageCode, 'workers'>, plan?: WorkerPlan): Guards {
  if (!plan) return { pages: [], entries: [] }
  const { unverified, guarded } = plan
  const create = (stem: string, known: WorkerPlan) => [
    nameByContent(stem, fill(workers.trim(), workersSlot, toAscii(JSON.stringify(known)))),
  ]
  return {
    pages: create('signedimp-workers', plan),
    entries: create('signedimp-entry-workers', {
      reach: {},
      named: {},
      unverified,
      guarded,
      first: false,
    }),
  }
}

/**
 * What a module bootstrap says of a release, in short: part of the names of entries' files, so that no name stands for
 * two of them. What else is in such a file follows from the names of what the entry can load.
 */
export const digestRelease = ({ page, keys, threshold, ...release }: Release): string =>
  hashBytes(
    'sha256',
    JSON.stringify([
      [page.module, page.late, page.blob, page.fetch, page.remember],
      keys.map(({ fingerprint }) => fingerprint),
      threshold,
      [release.name, release.build, release.expires, release.hash],
      [release.manifestName, release.base, release.reportTo],
      guardedPattern(release).source,
    ]),
  )

/** The report-only bootstrap with its keys in it. */
export function createReportOnly({
  reportOnly,
  page,
  keys,
  threshold,
}: Release): Pick<Bootstrap, 'code' | 'integrity' | 'linked'> {
  const code = fill(reportOnly!.trim(), pinnedSlot, toPinned(page, keys, threshold))
  const integrity = toIntegrity('sha256', hashBytes('sha256', code))
  return { code, integrity, linked: nameByContent('signedimp-report-only', code) }
}

/** Puts a text into the one place that a built bootstrap has for it. */
export function fill(code: string, slot: string, text: string): string {
  const parts = code.split(slot)
  if (parts.length !== 2) throw new Error(`the built bootstrap has no place for ${slot}`)
  return parts.join(text)
}

/**
 * The file of an entry: the module form of the bootstrap, with its keys and its entry in it.
 * @param exports the names that the entry's main chunk exports, which this file hands on
 */
export function createModuleBootstrap(
  { page, keys, threshold }: Release,
  entry: Entry,
  exports: readonly string[],
): string {
  const code = fill(page.module.trim(), pinnedSlot, toPinned(page, keys, threshold))
  const whole = fill(code, entrySlot, toAscii(toLiteral(entry)))
  const [all, main] = handsOn.exec(whole) ?? []
  if (all === undefined) throw new Error('the built module bootstrap exports nothing to hand on')
  return whole.slice(0, -all.length) + handOn(main!, exports)
}

/** What a module bootstrap says of itself. */
export interface ModuleBootstrap {
  entry: Entry
  /** Whom it accepts. */
  pinned: Pick<Release, 'keys' | 'threshold'>
}

/**
 * Reads what {@link createModuleBootstrap} wrote into the file of an entry: its inverse, but for the exports.
 * @returns undefined for every other text, such as what another version of this package wrote
 */
export function readModuleBootstrap(page: PageCode, code: string): ModuleBootstrap | undefined {
  const template = page.module.trim().replace(handsOn, '')
  const pattern = template
    .replace(/[^\w]/g, '\\$&')
    .replace(entrySlot, () => `(?<entry>${literal})`)
    .replace(pinnedSlot, () => `(?<pinned>${literal})`)
  const found = new RegExp(`^${pattern}`).exec(code)?.groups
  return found && { entry: fromLiteral(found['entry']!), pinned: fromLiteral(found['pinned']!) }
}

/** What hands on a module's exports. Any name may be a text (ECMA-262, "ModuleExportName"). */
export function handOn(main: string, exports: readonly string[]): string {
  if (exports.length === 0) return 'export{};\n'
  const names = exports.map((name) =>
    /^[a-z_$][\w$]*$/i.test(name) ? name : toAscii(JSON.stringify(name)),
  )
  const taken = names.map((name, at) => `${name}:$${at}`)
  const given = names.map((name, at) => `$${at} as ${name}`)
  return `const{${taken.join()}}=${main};export{${given.join()}};\n`
}

function nameByContent(stem: string, text: string): OwnFile {
  const code = markUtf8(text)
  return { fileName: `${stem}-${hashBytes('sha256', code).slice(0, 16)}.js`, code }
}

/** A pattern of {@link toLiteral}'s objects. Quotes belong to texts only, so that nothing in a text can end the match. */
const literal = String.raw`\{(?:"(?:[^"\\]|\\.)*"|[^"])*?\}`

/** The inverse of {@link toLiteral}. */
const fromLiteral = <T>(text: string): T =>
  JSON.parse(
    text.replace(/("(?:[^"\\]|\\.)*")|(\w+):/g, (_, value, name) => value ?? `"${name}":`),
  ) as T

/** Integrity metadata (SRI §3.1) of a hash in hex. */
export const toIntegrity = (type: string, digest: string): string =>
  `${type}-${Buffer.from(digest, 'hex').toString('base64')}`
