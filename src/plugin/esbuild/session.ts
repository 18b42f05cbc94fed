import { resolve } from 'node:path'
import type { Output } from '../../emit/output.js'
import type { Report } from '../../emit/report.js'
import { walkIfThere } from '../../tree/walk.js'
import { closeFolder, openFolder, type OutputFolder } from '../folder.js'
import { keyFileOf, refuseKeyIn } from '../guard.js'
import type { ResolvedOptions } from '../options.js'
import { readKeys, remember, type Keys } from '../release.js'
import { signOutput, type SignedOutput } from '../sign.js'
import { locateExternal } from './externals.js'
import { addManifest, adoptFiles, writeOutput } from './files.js'
import { readOutput, refuseEdits, tellManifest, tellResult } from './output.js'
import { locateInPages } from './messages.js'
import { addPages, copiedPages, pagesOf } from './pages.js'
import type { EsbuildPlace } from './place.js'
import type { BuildResult } from './types.js'

/** The builds of one set of options: one, or as many as a context makes. */
export interface Session {
  place: EsbuildPlace
  /** What the names that the current build was asked for turned out to be, in the metafile's words or as files. */
  entries: Map<string, string>
  /** HTML files that become pages. */
  pages: string[]
  /** Begins a build. */
  start(): void
  /**
   * Signs what was built, and writes it.
   * @returns warnings
   * @throws SignedImpError on an output that cannot be signed; nothing is written then
   */
  emit(result: BuildResult): Promise<string[]>
  /**
   * Compares what stands there now with what was emitted and writes the manifest, or takes back every signature.
   * @returns undefined where nothing is signed, because the build failed otherwise
   * @throws SignedImpError on what other plugins changed or added
   */
  close(result: BuildResult): Promise<Report | undefined>
}

/** What is known of a build between its hooks. */
interface Emission extends SignedOutput {
  /** Where files are written, if they are. */
  folder: OutputFolder | undefined
}

/** Opens a session. What stands in the output folder by now is not of its builds. */
export async function openSession(options: ResolvedOptions, place: EsbuildPlace): Promise<Session> {
  const { root, dir, base, isProgram, isWrite } = place
  const html =
    typeof options.html === 'string' ? [] : options.html.map((file) => resolve(root, file))
  const entries = new Map<string, string>()
  let before = await walkIfThere(dir)
  let number = 0
  const read = remember(() => readKeys(options, { root, base, isProgram }))
  let last: OutputFolder | undefined
  let emission: Emission | undefined

  async function readAll(result: BuildResult, keys: Keys): Promise<Output> {
    const file = keyFileOf(options.key, root)
    if (file) refuseKeyIn(dir, file)
    const output = readOutput(result, place, entries, keys)
    const pages = pagesOf(html)
    if (isWrite) await adoptFiles(output, dir, before, pages, keys)
    await addPages(output, pages, result.metafile!, place, keys.secrets)
    return output
  }

  async function emit(result: BuildResult): Promise<string[]> {
    const started = performance.now()
    const keys = await read()
    const folder = isWrite ? await openFolder(dir, keys.release, number, last, before) : undefined
    const output = await readAll(result, keys)
    const signed = await signOutput(output, keys.release, { options, started })
    if (!folder) await addManifest(output, signed.emitted, keys.release)
    tellResult(result, output, signed.emitted, place)
    emission = { ...signed, folder }
    if (folder) write(folder, output, signed)
    return signed.emitted.warnings
  }

  return {
    place,
    entries,
    pages: html,

    start() {
      number++
      entries.clear()
      emission = undefined
    },

    async emit(result) {
      try {
        return await emit(result)
      } catch (error) {
        const told = await locateExternal(error, result.metafile!, place)
        throw await locateInPages(told, [...html, ...copiedPages(place)], place)
      }
    },

    async close(result) {
      if (!emission) return undefined
      last = emission.folder
      try {
        return await finish(emission, await read(), result, place)
      } finally {
        before = await walkIfThere(dir)
      }
    },
  }
}

/** Holds that everything is still as it was signed, and signs the folder if there is one. */
async function finish(
  { emitted, folder, report }: Emission,
  { release, secrets }: Keys,
  result: BuildResult,
  place: EsbuildPlace,
): Promise<Report | undefined> {
  if (!folder) {
    refuseEdits(result, emitted, release.hash, place)
    return report
  }
  // After an error of another plugin, that is the one to see, and nothing is signed.
  if (result.errors.length > 0) folder.written = 0
  if (!(await closeFolder(folder, release, secrets))) return undefined
  await tellManifest(result, release.manifestName, place)
  return report
}

/** A folder that is not written whole is not signed in the end. */
function write(folder: OutputFolder, output: Output, { emitted, report }: SignedOutput): void {
  folder.emitted.push(emitted)
  folder.reports.push(report)
  writeOutput(folder, output)
  folder.written++
}
