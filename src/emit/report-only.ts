/** Outputs whose pages load as they would without signedimp, and tell what pages that are checked would refuse. */
import { SignedImpError } from '../errors.js'
import { refuseSharedNames } from '../manifest/distinct.js'
import { createBootstrap, createReportOnly } from './bootstrap.js'
import { createChanges } from './changes.js'
import { checkPaths, emitOutput } from './emit.js'
import type { Emitted, Release } from './release.js'
import { createGraph } from './graph.js'
import { addHeaders, writeHeaders } from './headers.js'
import { hashFiles, isForPages } from './manifest.js'
import type { Output } from './output.js'
import { addOwn, nameByContent } from './own-files.js'
import { startPages } from './pages.js'
import type { Parse } from './reassigned.js'
import type { InlinedWorker } from './workers.js'

/** What a report-only build knows of the one that would refuse. */
export interface ReportOnly {
  /** Source of that one's bootstrap for a Content-Security-Policy. */
  enforcing: string
  /** Messages of the errors that it would fail with. */
  wouldFail: string[]
}

/**
 * Signs a list of a finished output, and adds to each page a script that checks by it and refuses nothing. Modules stay as
 * they are. What would be written with mode `on` is made, too, and thrown away: its errors and warnings are told.
 * @throws SignedImpError on an output that cannot be listed; `ERR_SIGNEDIMP_OUTPUT` where no page starts anything
 */
export async function emitReportOnly(
  output: Output,
  release: Release,
  parse?: Parse,
  inlined: readonly InlinedWorker[] = [],
): Promise<Emitted> {
  checkPaths(output)
  const reportOnly: ReportOnly = { enforcing: '', wouldFail: [] }
  const trial = await tellFailure(reportOnly, () => tryToEnforce(output, release, parse, inlined))
  const changes = createChanges(output)
  const enforcing = createBootstrap(release.page, release.keys, release.threshold)
  reportOnly.enforcing = enforcing.integrity
  const own = createReportOnly(release)
  const bootstrap = { ...enforcing, ...own }
  const linked = release.inline === false ? [own.linked] : []
  for (const { fileName, code } of linked) addOwn(fileName, code, output, changes)
  refuseSharedNames(output.keys())

  const accepted = new Set(trial?.accepted.map(({ name }) => name))
  // What is accepted unchecked would not be refused.
  const isChecked = (path: string) => output.get(path)!.isModule || !accepted.has(path)
  const digests = hashFiles(
    output,
    release.hash,
    (path) => isForPages(path, release) && isChecked(path),
  )
  const external = new Map(trial?.external ?? release.external)
  for (const url of accepted) if (URL.canParse(url) && !external.has(url)) external.set(url, '')
  const pageable = { graph: createGraph(output, release.base), imports: new Map(), digests }
  const { pages, manifest } = await startPages(
    output,
    { ...release, external },
    { ...pageable, bootstrap, foreignOf: () => [] },
    changes,
  )
  const started = pages.filter(({ entries }) => entries.length > 0)
  if (started.length === 0) throw noPage
  nameByContent(output, [manifest, ...linked.map(({ fileName }) => fileName)], [])
  const headers = writeHeaders(output, release, new Map())
  addHeaders(headers, output, changes)
  return {
    changed: changes.changed,
    digests: hashFiles(output, release.hash, () => true, digests),
    imports: new Map(),
    bootstrap,
    manifests: [manifest],
    own: [manifest, ...linked.map(({ fileName }) => fileName), ...headers.texts.keys()],
    pages: started.length,
    templates: [],
    entries: [],
    warnings: [...(trial?.warnings ?? []), ...headers.warnings, ...aloneOf(output, pages)],
    maps: new Map(),
    external: new Map([...external].filter(([, integrity]) => integrity !== '')),
    accepted: trial?.accepted ?? [],
    checked: trial?.checked ?? new Set(pages.flatMap(({ checked }) => checked)),
    // Such a page watches no fetch.
    fetched: new Set(),
    reportOnly,
  }
}

/** Does what mode `on` would do, to a copy. Nothing of it is signed. */
function tryToEnforce(
  output: Output,
  release: Release,
  parse: Parse | undefined,
  inlined: readonly InlinedWorker[],
): Promise<Emitted> {
  const copy: Output = new Map([...output].map(([path, file]) => [path, { ...file }]))
  const unsigned = { ...release, signer: undefined, reportOnly: undefined, headers: [] }
  return emitOutput(copy, unsigned, parse, inlined)
}

/**
 * Does what may fail because pages could not be checked: then, in a report-only build, the message is noted and that is
 * all. What keeps the list from being true is an error all the same.
 */
export async function tellFailure<T>(
  reportOnly: ReportOnly | undefined,
  work: () => T | Promise<T>,
): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    const { code } = error as Partial<SignedImpError>
    if (!reportOnly || !/^ERR_SIGNEDIMP_(NOT_COVERED|OUTPUT)$/.test(`${code}`)) throw error
    reportOnly.wouldFail.push((error as SignedImpError).message)
    return undefined
  }
}

/** Entries that nothing tells anything of: where no page starts them, no script of ours is beside them. */
function aloneOf(output: Output, pages: { entries: string[] }[]): string[] {
  const started = new Set(pages.flatMap(({ entries }) => entries))
  return [...output.values()]
    .filter(({ path, isModule, isEntry }) => isModule && isEntry && !started.has(path))
    .map(
      ({ path }) =>
        `mode 'report-only' tells nothing of ${path}, an entry that no page of this build starts`,
    )
}

const noPage = new SignedImpError(
  'ERR_SIGNEDIMP_OUTPUT',
  "there is no page in this output that starts a module of it, and mode 'report-only' is for pages; use 'on' or 'off'",
)
