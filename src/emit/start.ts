import { hashBytes } from '../crypto/node.js'
import { SignedImpError } from '../errors.js'
import { closureOf, standInOf } from '../manifest/linking.js'
import { createModuleBootstrap, toIntegrity, type Bootstrap, type Guards } from './bootstrap.js'
import type { Changes } from './changes.js'
import type { Release } from './release.js'
import type { ModuleEntry } from './entries.js'
import { hasHost } from './graph.js'
import { isForPages, signPageManifest } from './manifest.js'
import { namedExports, type LinkedModules } from './modules.js'
import { reach } from './reach.js'

/** What entries are started with. */
export interface Startable extends LinkedModules {
  digests: Map<string, string>
  bootstrap: Bootstrap
  guards: Guards
  /** Whether modules import one another by names that an import map can give. */
  hasAliases: boolean
  /** What is no module of the build and imports something: entries have no map that denies what is not listed. */
  copied: ReadonlyMap<string, unknown>
}

/** An entry that starts through its own bootstrap. */
export interface StartedEntry extends ModuleEntry {
  /** Integrity metadata of its file, for the tags that load it. */
  integrity: string
  manifest: string
  /** What it may load, its main chunk included, or undefined where only its run tells. */
  reached: ReadonlySet<string> | undefined
}

/** Writes the module bootstrap of each entry, and signs the list of what it may load. */
export async function startEntries(
  entries: readonly ModuleEntry[],
  startable: Startable,
  release: Release,
  { change }: Changes,
): Promise<StartedEntry[]> {
  const started: StartedEntry[] = []
  for (const entry of entries) {
    const { path, main } = entry
    const { path: manifest, stored } = await signPageManifest(
      release,
      listFor(main, startable, release),
    )
    change(manifest, stored)
    const { bootstrap, hasAliases, exports } = startable
    const { late, blob } = bootstrap
    const code = createModuleBootstrap(
      release,
      {
        path,
        base: hasHost(release.base) ? release.base : '',
        name: release.name,
        ...(release.build === undefined ? {} : { build: release.build }),
        manifest,
        main,
        ...(hasAliases ? { late: late.fileName } : {}),
        blob: blob.fileName,
        preload: hasAliases ? preloadsOf([late.fileName, main], startable, release) : [],
        ...(release.reportTo === undefined ? {} : { report: release.reportTo }),
      },
      exportable(path, exports.get(main)!),
    )
    change(path, code)
    const integrity = toIntegrity(release.hash, hashBytes(release.hash, code))
    started.push({ ...entry, integrity, manifest, reached: reach(main, startable) })
  }
  return started
}

/** Files and what they import statically, with the hashes under which a map will ask for them. */
const preloadsOf = (
  paths: string[],
  { imports, digests }: Startable,
  { hash }: Release,
): [string, string][] =>
  [...new Set(paths.flatMap((path) => [...closureOf(imports, path)]))].map((path) => [
    path,
    toIntegrity(hash, digests.get(path)!),
  ])

/**
 * What an entry can load, and nothing else: so its file, which names the list, has other bytes only where the bundler
 * gave it another name.
 */
function listFor(main: string, startable: Startable, release: Release) {
  const { digests, imports, bootstrap, guards, hasAliases, copied, resources } = startable
  const reached = reach(main, startable)
  const isFetching = [...(reached ?? [])].some((path) => resources.get(path)?.length)
  const own = [
    bootstrap.blob,
    ...(hasAliases ? [bootstrap.late] : []),
    ...(isFetching ? [bootstrap.fetch] : []),
    ...guards.entries,
  ].map(({ fileName }) => fileName)
  const wanted = reached && new Set([...reached, ...[...reached].map(standInOf), ...own])
  const isListed = (path: string) =>
    wanted?.has(path) ?? (isForPages(path, release) && !copied.has(path))
  return {
    files: new Map([...digests].filter(([path]) => isListed(path))),
    imports: new Map([...imports].filter(([path]) => isListed(path))),
  }
}

/** @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` on exports that another file cannot hand on */
export function exportable(path: string, names: readonly string[]): readonly string[] {
  if (names.includes('then'))
    throw new SignedImpError(
      'ERR_SIGNEDIMP_OUTPUT',
      'exports "then", which makes a promise of the module for whoever imports it later; rename the export',
      { path },
    )
  return namedExports(path, names)
}
