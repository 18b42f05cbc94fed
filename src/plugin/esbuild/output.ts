import { stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { hashBytes } from '../../crypto/node.js'
import { digestRelease } from '../../emit/bootstrap.js'
import { digestProgram } from '../../emit/program-bootstrap.js'
import type { Emitted } from '../../emit/release.js'
import type { Output, OutputFile as File } from '../../emit/output.js'
import { SignedImpError } from '../../errors.js'
import { emittedPath, isInside } from '../../tree/system-path.js'
import { refuseSecrets } from '../guard.js'
import type { Keys } from '../release.js'
import { createIsEntry, editMetafile, keyOf, none, pathOf } from './metafile.js'
import { renameByRelease } from './names.js'
import type { EsbuildPlace } from './place.js'
import type { BuildResult, MetafileOutput, OutputFile } from './types.js'

/** esbuild's files in the words of no bundler. Chunks are told from other files by the mark that stands last in them. */
export function readOutput(
  result: BuildResult,
  place: EsbuildPlace,
  resolved: ReadonlyMap<string, string>,
  { release, secrets }: Keys,
): Output {
  const output: Output = new Map()
  const digest = (place.isProgram ? digestProgram : digestRelease)(release)
  const { outputs } = result.metafile!
  const isEntry = createIsEntry(result.metafile!, place, resolved)
  for (const [path, { contents }] of filesOf(result, place)) {
    refuseSecrets(path, contents, secrets)
    const code = isLinked(outputs[keyOf(path, place)]) ? unmark(contents, place.mark) : undefined
    const source = code ?? contents
    const file: File = { path, source, isModule: code !== undefined, isEntry: false }
    if (code !== undefined && place.format === 'cjs')
      Object.assign(file, toScript(outputs[keyOf(path, place)]!, place))
    if (code !== undefined && isEntry(keyOf(path, place))) {
      file.isEntry = true
      const { entryPoint, cssBundle } = outputs[keyOf(path, place)]!
      file.from = emittedPath(entryPoint!)
      file.styles = cssBundle === undefined ? [] : [pathOf(cssBundle, place)]
      file.bootstrapPath = renameByRelease(path, place.entryNames, digest)
    }
    file.isContentNamed = isContentNamed(file, result.metafile!.outputs[keyOf(path, place)], place)
    output.set(path, file)
  }
  return output
}

/** What is told of a chunk that is no ES module. */
const toScript = ({ imports }: MetafileOutput, place: EsbuildPlace): Partial<File> => ({
  isModule: false,
  format: 'cjs',
  loads: imports.map(({ path, external }) => (external ? path : pathOf(path, place))),
})

/** Whether a file is put together by esbuild, and not copied: whoever copies a chunk copies its mark. */
const isLinked = ({ bytes, inputs }: MetafileOutput = none): boolean =>
  Object.values(inputs).reduce((sum, { bytesInOutput }) => sum + bytesInOutput, 0) < bytes

/**
 * Whether esbuild put a hash of what a file holds into its name. The metafile does not tell by which of its patterns a
 * file was named: then all that it may have been must have one.
 */
function isContentNamed(
  { path, isModule, isEntry, bootstrapPath }: File,
  told: MetafileOutput | undefined,
  { entryNames, chunkNames, assetNames }: EsbuildPlace,
): boolean {
  const hasHash = (...patterns: string[]) => patterns.every((name) => name.includes('[hash]'))
  if (isEntry) return hasHash(entryNames, chunkNames) && bootstrapPath !== path
  if (isModule) return hasHash(chunkNames)
  // Source maps and collected licences have no inputs, and are named after what they belong to.
  if (!told || Object.keys(told.inputs).length === 0) return false
  const isOfEntry = told.entryPoint !== undefined || path.endsWith('.css')
  return hasHash(assetNames, ...(isOfEntry ? [entryNames] : []))
}

/** A chunk's bytes without the mark, or undefined for what is no chunk. */
function unmark(contents: Uint8Array, mark: string): Uint8Array | undefined {
  const bytes = Buffer.from(contents.buffer, contents.byteOffset, contents.length)
  const at = bytes.lastIndexOf(mark)
  if (at < 0) return undefined
  const end = at + mark.length + (bytes[at + mark.length] === lineFeed ? 1 : 0)
  // Nothing is behind it but a comment that names a source map.
  return end === bytes.length
    ? bytes.subarray(0, at)
    : Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)])
}

const lineFeed = 10

/** The files that esbuild hands over, by path below the output folder. */
function* filesOf(
  { outputFiles = [] }: BuildResult,
  { dir }: EsbuildPlace,
): Generator<[path: string, file: OutputFile]> {
  for (const file of outputFiles) {
    const path = emittedPath(relative(dir, file.path))
    if (!isInside(dir, file.path))
      throw new SignedImpError(
        'ERR_SIGNEDIMP_PATH',
        'is outside of "outdir", where no manifest can list it; change the name patterns',
        { path },
      )
    yield [path, file]
  }
}

/** Tells the build's result what became of the output: its files, where the user wants those and not a folder, and its metafile. */
export function tellResult(
  result: BuildResult,
  output: Output,
  emitted: Emitted,
  place: EsbuildPlace,
): void {
  editMetafile(result.metafile!, output, emitted, place)
  if (place.isWrite) return void (result.outputFiles = undefined)
  const known = new Map(filesOf(result, place))
  result.outputFiles = [...output.values()].flatMap((file) =>
    toOutputFile(file, known, emitted, place),
  )
}

/** Tells the metafile of the manifest, which is written when everything else is. */
export async function tellManifest(
  { metafile }: BuildResult,
  path: string,
  place: EsbuildPlace,
): Promise<void> {
  const { size: bytes } = await stat(join(place.dir, path))
  metafile!.outputs[keyOf(path, place)] = { ...none, bytes }
}

function toOutputFile(
  { path, source }: File,
  known: ReadonlyMap<string, OutputFile>,
  { changed }: Emitted,
  { dir }: EsbuildPlace,
): OutputFile[] {
  if (source === undefined) return []
  const old = known.get(path)
  if (old && !changed.has(path)) return [old]
  const contents = typeof source === 'string' ? Buffer.from(source) : source
  return [createOutputFile(join(dir, path), contents)]
}

/** A file as esbuild hands it over. Its hash is ours: what it is made of is nobody's business. */
const createOutputFile = (path: string, contents: Uint8Array): OutputFile => ({
  path,
  contents,
  hash: Buffer.from(hashBytes('sha256', contents).slice(0, 16), 'hex').toString('base64url'),
  get text() {
    return Buffer.from(this.contents).toString()
  },
})

/** @throws SignedImpError `ERR_SIGNEDIMP_LATE_WRITE` where nothing is written and another plugin changed what was signed */
export function refuseEdits(
  result: BuildResult,
  { digests }: Emitted,
  hash: Parameters<typeof hashBytes>[0],
  place: EsbuildPlace,
): void {
  const left = new Map(digests)
  for (const [path, { contents }] of filesOf(result, place)) {
    if (left.get(path) !== hashBytes(hash, contents)) throw edited(path)
    left.delete(path)
  }
  for (const path of left.keys()) throw edited(path)
}

const edited = (path: string): SignedImpError =>
  new SignedImpError(
    'ERR_SIGNEDIMP_LATE_WRITE',
    'was changed, added or removed by another plugin after the output was signed; list that plugin before signedImp',
    { path },
  )
