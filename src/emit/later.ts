/** Pages that are made of an output when that is signed already. */
import { hashBytes } from '../crypto/node.js'
import type { StaticImport } from '../manifest/format.js'
import { isModulePath, isPageGuard } from '../manifest/path.js'
import { createBootstrap, type Bootstrap, type ModuleBootstrap } from './bootstrap.js'
import { createChanges } from './changes.js'
import { acceptUncovered, spellFlags } from './coverage.js'
import type { Release } from './release.js'
import { findEarly } from './guarded.js'
import {
  readPage,
  refuse,
  toOutput,
  type PageOfFolder,
  type SignedFolder,
} from './later-entries.js'
import { isForPages } from './manifest.js'
import type { Uncovered } from './output.js'
import { takenName } from './own-files.js'
import { startPages } from './pages.js'

export type { SignedFolder } from './later-entries.js'

/** A page that starts entries through the bootstrap, and what it needs beside itself. */
export interface LaterPage {
  html: string
  /** Paths of the entries. */
  entries: string[]
  /** Name of its page manifest. */
  manifest: string
  /** Files for the output, some of which may be there already. */
  files: Map<string, string | Uint8Array>
  bootstrap: Bootstrap
  /** Hash sources of its import map for a Content-Security-Policy, where that is the same in each view. */
  hashes: readonly string[]
  /** What is not checked and was accepted. */
  accepted: Uncovered[]
}

/** How pages are made. Name, build, expiry and hash are those of the output. */
export type LaterRelease = Pick<
  Release,
  'signer' | 'keys' | 'threshold' | 'manifestName' | 'inline' | 'policy' | 'unverified' | 'page'
>

/**
 * Makes a page start entries of a signed output as a page of the build itself would.
 * @param path of the page, from the output's folder
 * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` on a page that starts no entry, and on entries that pages cannot start;
 *   `ERR_SIGNEDIMP_NOT_COVERED`
 */
export async function startLater(
  path: string,
  source: string,
  folder: SignedFolder,
  given: LaterRelease,
): Promise<LaterPage> {
  const { hash, name, build, expires } = folder.main
  const page = readPage(path, source, folder, given)
  const { base, starts } = page
  const keys = inOrder(given.keys, starts[0]!)
  const release = {
    ...given,
    hash,
    name,
    build,
    expires,
    base,
    keys,
    pagesLater: true,
    backend: false,
    tags: false,
    workersFirst: false,
    headers: [],
    external: new Map<string, string>(),
    resources: false,
    reportTo: starts[0]!.entry.report,
  }
  const bootstrap = createBootstrap(release.page, keys, release.threshold)
  for (const start of starts) refuseOther(start, bootstrap)

  const mains = starts.map(({ entry }) => entry.main)
  const output = toOutput(folder.main, mains)
  output.set(path, { path, source, isModule: false, isEntry: false })
  const changes = createChanges(output)
  const own = addOwn(bootstrap, folder, release, changes.change)
  // What modules import from outside of the output, their build has refused.
  const foreignOf = () => []
  const pageable = {
    ...listFor(page, folder, release, own),
    graph: page.graph,
    bootstrap,
    foreignOf,
  }
  const { manifest, pages } = await startPages(output, release, pageable, changes)
  const files = new Map([...changes.changed].map(([file, content]) => [file, content!]))
  const html = files.get(path) as string
  files.delete(path)
  return {
    html,
    entries: starts.map(({ entry }) => entry.path),
    manifest,
    files,
    bootstrap,
    hashes: pages[0]!.fixed?.hashes ?? [],
    accepted: acceptUncovered(
      [...pages[0]!.uncovered, ...findEarly(pages, output, guardedIn(folder))],
      release.unverified,
      spellFlags,
    ),
  }
}

/** Which other files the page guards, only the file that does so says. */
const guardedIn = ({ main: { files } }: SignedFolder): string[] =>
  [...files.keys()].filter((path) => /\.wasm$/i.test(path))

/** The given keys in the order of an entry's, so that the bootstrap is the same as in pages of the build. */
const inOrder = (keys: Release['keys'], { pinned }: ModuleBootstrap): Release['keys'] =>
  pinned.keys.flatMap((key) => keys.find(({ fingerprint }) => fingerprint === key.fingerprint)!)

/** The name of what an entry links with depends on the version of this package, and on the keys and their order. */
function refuseOther({ entry }: ModuleBootstrap, { blob }: Bootstrap): void {
  if (entry.blob !== blob.fileName)
    throw refuse(
      entry.path,
      'is of another version of signedimp, or has its keys in another order; build again',
    )
}

/** Adds the files of ours that the page loads. @returns their hashes */
function addOwn(
  { runtime, linked, blob }: Bootstrap,
  { main }: SignedFolder,
  { inline }: Pick<Release, 'inline'>,
  change: (path: string, source: string) => void,
): Map<string, string> {
  const digests = new Map<string, string>()
  for (const { fileName, code } of inline === false ? [runtime, blob, linked] : [runtime, blob]) {
    const digest = hashBytes(main.hash, code)
    if ((main.files.get(fileName) ?? digest) !== digest) throw takenName(fileName)
    digests.set(fileName, digest)
    change(fileName, code)
  }
  return digests
}

/**
 * What the page may load: the modules of its entries, and of all that is no module what pages may load, because in the
 * page nothing else has an address that means anything.
 */
function listFor(
  { starts, checked }: PageOfFolder,
  { main, pages }: SignedFolder,
  release: Pick<Release, 'manifestName' | 'viteManifest'>,
  own: Map<string, string>,
): { digests: Map<string, string>; imports: Map<string, StaticImport[]> } {
  const lists = starts.map(({ entry }) => pages.get(entry.manifest)!)
  const others = [...main.files.keys()].filter(
    (path) => isPageGuard(path) || (!isModulePath(path) && isForPages(path, release)),
  )
  const paths = [...lists.flatMap(({ files }) => [...files.keys()]), ...others, ...checked]
  return {
    digests: new Map([...paths.map((path) => [path, main.files.get(path)!] as const), ...own]),
    imports: new Map([
      // Of what is no chunk, lists of entries say nothing.
      ...[...main.imports].filter(([path]) => checked.includes(path)),
      ...lists.flatMap(({ imports }) => [...imports]),
    ]),
  }
}
