import type { Emitted, Release } from './release.js'
import { hasHost } from './graph.js'
import { backendList } from '../manifest/names.js'
import type { Remember } from '../manifest/options.js'
import { isSourceMap } from '../manifest/path.js'
import { isPage, type Output, type OutputFile, type Uncovered } from './output.js'
import type { ReportOnly } from './report-only.js'

/** What a build tells about itself. */
export interface Report {
  name: string
  build: number | undefined
  expires: string | undefined
  /** Fingerprints of the keys that pages accept; the first one signed. */
  fingerprints: string[]
  threshold: number
  oneTimeKey: boolean
  /** Whether the manifests are signed already. */
  signed: boolean
  modules: { count: number; bytes: number }
  pages: number
  /** Whether what is built is a program for servers. */
  server: boolean
  /** Entries that pages of a backend start. */
  templates: string[]
  /** Entries that start by themselves, with the integrity of their files. */
  entries: { path: string; integrity: string }[]
  /** Source of the bootstrap for a Content-Security-Policy, when it is inline. */
  bootstrap?: { integrity: string; inline: boolean }
  /** Sources of each page's import map for a Content-Security-Policy, where that is the same in each view. */
  maps: { page: string; hashes: readonly string[] }[]
  /** External modules that pages may load, with their integrity metadata. */
  external: { url: string; integrity: string }[]
  /** Whether pages may do without https. */
  pure: boolean
  /** Whether pages remember builds. */
  remember: Remember | undefined
  /** Not checked when it runs, and accepted by name. */
  unverified: Uncovered[]
  /** Number of files beside modules that `fetch` checks. */
  fetched: number
  /** Number of listed files that nothing checks when a page loads them, as by `url()` or `@import`, by kind. */
  unchecked: Record<string, number>
  /** Whether the files are on another origin than the pages; undefined when that depends on the host. */
  sameOrigin: boolean
  milliseconds: number
  /** Of a build whose pages refuse nothing: what is known of one that would refuse. */
  reportOnly?: ReportOnly
}

const kinds: [kind: string, pattern: RegExp][] = [
  ['stylesheets that no page or chunk links', /\.css$/],
  ['images', /\.(svg|png|jpe?g|gif|webp|avif|ico)$/i],
  ['media files', /\.(mp[34]|m4[av]|webm|og[gv]|opus|wav|flac)$/i],
  ['fonts', /\.(woff2?|ttf|otf|eot)$/i],
]

/** Sums up an output. */
export function createReport(
  output: Output,
  emitted: Emitted,
  release: Release,
  rest: Pick<Report, 'oneTimeKey' | 'milliseconds'>,
): Report {
  const files = [...output.values()]
  const modules = files.filter(({ isModule }) => isModule)
  const others = files.filter(
    ({ path, isModule }) =>
      !isModule &&
      !isPage(path) &&
      !isSourceMap(path) &&
      !emitted.checked.has(path) &&
      !emitted.fetched.has(path) &&
      !emitted.accepted.some(({ name }) => name === path),
  )
  const unchecked: Report['unchecked'] = {}
  for (const { path } of others) {
    if (path === release.viteManifest) continue
    const [kind] = kinds.find(([, pattern]) => pattern.test(path)) ?? ['other files']
    if (!emitted.own.includes(path)) unchecked[kind] = (unchecked[kind] ?? 0) + 1
  }
  return {
    name: release.name,
    build: release.build,
    expires: release.expires,
    fingerprints: release.keys.map(({ fingerprint }) => fingerprint),
    threshold: release.threshold,
    signed: release.signer !== undefined,
    modules: {
      count: modules.length,
      bytes: modules.reduce((sum, { size = 0 }) => sum + size, 0),
    },
    pages: emitted.pages,
    server: release.program !== undefined,
    templates: emitted.templates,
    entries: emitted.entries.map(({ path, integrity }) => ({ path, integrity })),
    ...(emitted.bootstrap && {
      bootstrap: { integrity: emitted.bootstrap.integrity, inline: release.inline !== false },
    }),
    maps: [...emitted.maps].map(([page, { hashes }]) => ({ page, hashes })),
    external: [...emitted.external].map(([url, integrity]) => ({ url, integrity })),
    pure: release.page.pure,
    remember: release.page.remember,
    unverified: emitted.accepted,
    fetched: files.filter((file) => isFetched(file, emitted)).length,
    unchecked,
    sameOrigin: !hasHost(release.base),
    ...(emitted.reportOnly && { reportOnly: emitted.reportOnly }),
    ...rest,
  }
}

/** Whether a file is checked by `fetch` and in no other way. */
const isFetched = ({ path, isModule }: OutputFile, { fetched, own, checked }: Emitted): boolean =>
  fetched.has(path) &&
  !isModule &&
  !isPage(path) &&
  !isSourceMap(path) &&
  !own.includes(path) &&
  !checked.has(path)

/** The report in lines, for people. */
export function formatReport(report: Report): string[] {
  const {
    name,
    build,
    modules,
    pages,
    fingerprints,
    threshold,
    bootstrap,
    unverified,
    unchecked,
    milliseconds,
  } = report
  const [signer, ...others] = fingerprints
  const counted = Object.entries(unchecked).map(([kind, count]) => countOf(count, kind))
  return [
    `signedimp: ${report.signed ? 'signed' : 'listed, but NOT SIGNED YET:'} ${name}${build === undefined ? '' : ` build ${build}`}: ${countOf(modules.count, 'modules')}, ${kilobytes(modules.bytes)}, ${report.server ? '' : `${countOf(pages, 'pages')}, `}${Math.round(milliseconds)} ms`,
    `  key ${signer}${report.oneTimeKey ? ' (one-time: made for this build and forgotten)' : ''}`,
    ...others.map((fingerprint) => `  also accepted: ${fingerprint}`),
    ...(threshold > 1
      ? [
          `  pages need ${threshold} signatures, and this build has ${report.signed ? '1: add the others' : 'none: add them'} with "signedimp sign"`,
        ]
      : []),
    ...(report.expires ? [`  expires ${report.expires}`] : []),
    ...report.entries.map(({ path, integrity }) => `  entry ${path} (${integrity})`),
    ...report.templates.map((name) => `  ${name}: tags for templates in ${backendList}`),
    ...(bootstrap?.inline && pages > 0
      ? [`  bootstrap for a Content-Security-Policy: '${bootstrap.integrity}'`]
      : []),
    ...(report.reportOnly
      ? [`  with mode 'on' that will be '${report.reportOnly.enforcing}'`]
      : []),
    ...report.maps.map(
      ({ page, hashes }) => `  import map of ${page} for its policy: ${hashes.join(' ')}`,
    ),
    ...(report.pure ? [plainHttp] : []),
    ...(report.remember ? [rememberLines[`${report.remember}`]] : []),
    ...(report.fetched > 0
      ? [`  checked when code fetches them: ${countOf(report.fetched, 'files')}`]
      : []),
    ...(counted.length
      ? [
          `  listed, but not enforced when ${report.server ? 'the program reads' : 'a page or a stylesheet loads'} them: ${counted.join(', ')}`,
        ]
      : []),
    ...report.external.map(({ url, integrity }) => `  external ${url} (${integrity})`),
    ...unverified.map(({ name, reason }) => `  UNVERIFIED ${name}: ${reason}`),
    ...promisesOf(report),
  ]
}

/** What holds for whom. */
function promisesOf(report: Report): string[] {
  const { entries, pages, server } = report
  if (server)
    return [
      '  promise: for programs that start by an entry from where you trust, whoever can change the other files',
    ]
  const forEntries =
    '  promise: for pages that load an entry from where they trust, or with its integrity, whoever serves the other files'
  return [
    ...(entries.length > 0 ? [forEntries] : []),
    ...(entries.length > 0 && pages === 0 ? [] : [promiseOf(report)]),
  ]
}

/** What {@link Report.pure} means. */
const plainHttp =
  '  pure: starts over plain http too, where whoever can change the page on its way can leave the checks out'

/** What {@link Report.remember} means. */
const rememberLines = {
  true: '  remembers builds: refuses lower ones than the browser has seen, and to start where it gives no storage',
  'if-possible':
    '  remembers builds: refuses lower ones than the browser has seen, but where it gives no storage',
}

/** What holds for the pages of a build. */
const promiseOf = ({ sameOrigin, reportOnly }: Report): string =>
  reportOnly
    ? '  promise: none: pages report what they would refuse, and refuse nothing'
    : sameOrigin
      ? '  promise: for the documents of this build; other documents that the same host serves on this origin are not covered'
      : '  promise: for the documents of this build, whoever serves the files; their host has another origin than the pages'

/** One of several things in the singular, which is without the first word's `s`. */
const countOf = (count: number, plural: string): string =>
  `${count} ${count === 1 ? plural.replace(/s\b/, '') : plural}`

const kilobytes = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KB`
