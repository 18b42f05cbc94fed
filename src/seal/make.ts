/** Makes a seal of a folder, in memory. */
import { hashBytes } from '../crypto/node.js'
import { acceptUncovered } from '../emit/coverage.js'
import { emitOutput } from '../emit/emit.js'
import type { Graph } from '../emit/graph.js'
import type { Emitted, Release } from '../emit/release.js'
import { toManifest } from '../emit/manifest.js'
import type { Output, Uncovered } from '../emit/output.js'
import { createReport } from '../emit/report.js'
import { refuseSharedNames } from '../manifest/distinct.js'
import { writeSignedText } from '../manifest/format.js'
import { isManifestOf } from '../manifest/names.js'
import { signManifest, type Signer } from '../manifest/sign.js'
import { readRelease } from '../plugin/release.js'
import type { Folder } from '../tree/walk.js'
import { findPlace, pagesOf, prepare, readOutput } from './folder.js'
import { findLoaders } from './loaders.js'
import type { ResolvedSeal } from './options.js'
import {
  hashOf,
  recordChange,
  recordName,
  toOptions,
  writeRecord,
  type SealRecord,
} from './record.js'
import { refuseDependents, refusePlain, refusePolicies, refuseSigned } from './refuse.js'
import { toReport } from './report.js'
import type { SealReport } from './types.js'

/** A release that somebody signs now. */
export type SignedRelease = Release & { signer: Signer }

/** What a seal is to write. */
export interface Seal {
  /** The record, which is written first. */
  record: Buffer
  /** In the order in which they are written. */
  files: Map<string, Buffer>
  /** The manifest, which is written last. */
  manifest: { path: string; stored: Uint8Array }
}

/** A seal and what there is to say of it. */
export interface MadeSeal {
  release: SignedRelease
  report: SealReport
  /** Undefined where the folder is sealed so already. */
  seal: Seal | undefined
}

/** Makes the seal of a folder that has none. @param secrets texts that would give the key away if a file held one */
export async function makeSeal(
  dir: string,
  folder: Folder,
  resolved: ResolvedSeal,
  secrets: string[],
): Promise<MadeSeal> {
  const started = performance.now()
  const { manifest, hash } = resolved.release
  refuseSigned(folder, manifest)
  const output = readOutput(dir, folder, hash, secrets)
  const originals = originalsOf(output)
  const release = await toRelease(resolved, output)
  const loaders = acceptLoaders(output, await prepare(output, release), release)
  const emitted = await emitOutput(output, release)
  refusePlain(emitted)
  refusePolicies(output, emitted, release)
  const changes = changesOf(output, originals)
  refuseDependents(folder, originals, changes)
  const milliseconds = performance.now() - started
  const told = createReport(output, emitted, release, {
    oneTimeKey: resolved.isOneTime,
    milliseconds,
  })
  const report = toReport(
    { ...told, unverified: [...loaders, ...told.unverified] },
    { output, release, warnings: emitted.warnings, changes: [...changes.keys()], folder },
  )
  const seal = await toSeal({ folder, originals, changes, report }, emitted, release)
  return { seal, release, report: { ...report, unchanged: false, dryRun: resolved.isDryRun } }
}

/** The bytes of an output's files, where they are kept. */
const originalsOf = (output: Output): Map<string, Buffer> =>
  new Map(
    [...output.values()].flatMap(({ path, source }) =>
      source === undefined ? [] : [[path, source as Buffer]],
    ),
  )

/** Reads keys and names, and makes the output ready; where its files will be, its pages say. */
async function toRelease(resolved: ResolvedSeal, output: Output): Promise<SignedRelease> {
  const base = resolved.base ?? (await findPlace(output))
  const release = needSigner(await readRelease(resolved.release, process.cwd(), base))
  const listed = '.vite/manifest.json'
  const viteManifest = output.has(listed) ? listed : undefined
  return { ...release, viteManifest, spell: resolved.spell }
}

/** @throws TypeError where the key is a public one */
export function needSigner({ signer, ...release }: Release): SignedRelease {
  if (signer) return { ...release, signer }
  throw new TypeError('"key" must be a private key, got a public one')
}

/** @throws SignedImpError `ERR_SIGNEDIMP_NOT_COVERED` on scripts that load code by themselves */
function acceptLoaders(output: Output, graph: Graph, { unverified, spell }: Release): Uncovered[] {
  const loaders = pagesOf(output, graph).flatMap(({ tags, resolve }) =>
    findLoaders(tags, output, resolve),
  )
  return acceptUncovered(loaders, unverified, spell)
}

/** Files that are new or have other bytes, pages last: none is there before what it names. */
function changesOf(output: Output, originals: ReadonlyMap<string, Buffer>): Map<string, Buffer> {
  const changes: [string, Buffer][] = []
  for (const { path, source } of output.values()) {
    if (source === undefined) continue
    const bytes =
      typeof source === 'string'
        ? Buffer.from(source)
        : Buffer.from(source.buffer, source.byteOffset, source.length)
    if (!originals.get(path)?.equals(bytes)) changes.push([path, bytes])
  }
  const isLast = ([path]: [string, Buffer]) => Number(/\.html?$/i.test(path))
  return new Map(changes.sort((a, b) => isLast(a) - isLast(b)))
}

interface Sealed {
  folder: Folder
  originals: ReadonlyMap<string, Buffer>
  changes: Map<string, Buffer>
  report: SealRecord['report']
}

async function toSeal(
  { folder, originals, changes, report }: Sealed,
  { digests, imports }: Emitted,
  release: SignedRelease,
): Promise<Seal> {
  const { manifestName: path, hash, signer } = release
  const [old, added] = [true, false].map((isOld) =>
    [...changes].filter(([name]) => folder.files.has(name) === isOld),
  )
  const record = writeRecord({
    options: toOptions(release),
    manifest: path,
    changed: Object.fromEntries(
      old!.map(([name, bytes]) => [name, recordChange(originals.get(name)!, bytes)]),
    ),
    added: Object.fromEntries(added!.map(([name, bytes]) => [name, hashOf(bytes)])),
    report,
  })
  const files = new Map([...digests].filter(([name]) => !isManifestOf(path, name)))
  files.set(recordName, hashBytes(hash, record))
  refuseSharedNames([...digests.keys(), recordName, path])
  const text = writeSignedText(toManifest(release, { imports, files }))
  return { record, files: changes, manifest: { path, stored: await signManifest(text, signer) } }
}
