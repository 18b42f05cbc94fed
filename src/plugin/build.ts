import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { emitOutput, type Release } from '../emit/emit.js'
import { isPage, type Output } from '../emit/output.js'
import { createReport, type Report } from '../emit/report.js'
import { isSystemModule } from '../emit/rewrite.js'
import { hashFiles } from '../tree/hash.js'
import { refuseStrays, walkIfThere } from '../tree/walk.js'
import { openFolder, sealFolder, unsealFolder, type OutputFolder } from './folder.js'
import { findSecrets, keyFileOf, refuseKeyIn, refuseSecrets } from './guard.js'
import type { ResolvedOptions } from './options.js'
import { readRelease } from './release.js'
import type { Bundle, HookContext, OutputOptions } from './types.js'

/** Where a build takes place. */
export interface Place {
  root: string
  /** Where the files will be: a URL or path with its last slash, or `''` for wherever the pages are. */
  base: string
  /** A folder whose files are copied to the output as they are, if there is one. */
  publicDir: string | undefined
}

/** A build from its first output to its end. */
export interface Build {
  /** Looks at an output's folder before anything is written there. */
  open(options: OutputOptions): Promise<void>
  /** Signs one output in memory. Outputs that are not written get their page manifest only. */
  emit(
    context: HookContext,
    options: OutputOptions,
    bundle: Bundle,
    isWrite: boolean,
  ): Promise<void>
  /** Notes that one output is on disk. */
  written(options: OutputOptions): void
  /**
   * Compares the folders with what was emitted and writes their manifests, or takes back every signature.
   * @returns a report for each output
   */
  close(): Promise<Report[]>
}

/** Starts builds of one configuration. The key is read when the first output is generated, and kept for the next ones. */
export function createBuild(options: ResolvedOptions, findPlace: () => Place): Build {
  const folders = new Map<string, OutputFolder>()
  let reports: Report[] = []
  let reading: ReturnType<typeof readKeys> | undefined
  const read = () => (reading ??= readKeys(options, findPlace()))
  const folderOf = ({ dir, file }: OutputOptions) =>
    resolve(findPlace().root, dir ?? dirname(file ?? '.'))

  return {
    async open(outputOptions) {
      const dir = folderOf(outputOptions)
      const { root, publicDir } = findPlace()
      const file = keyFileOf(options.key, root)
      for (const folder of [dir, publicDir]) if (file && folder) refuseKeyIn(folder, file)
      const { release } = await read()
      if (!folders.has(dir)) folders.set(dir, await openFolder(dir, release))
    },

    async emit(context, outputOptions, bundle, isWrite) {
      const started = performance.now()
      const { release, secrets } = await read()
      const output = await readBundle(bundle, outputOptions, secrets)
      await addPublicFiles(output, findPlace().publicDir, release, secrets)
      const emitted = await emitOutput(output, release)
      for (const [path, source] of emitted.changed) write(context, bundle, path, source)
      if (isWrite) folders.get(folderOf(outputOptions))!.emitted.push(emitted)
      const milliseconds = performance.now() - started
      reports.push(
        createReport(output, emitted, release, { oneTimeKey: !options.key, milliseconds }),
      )
    },

    written(outputOptions) {
      folders.get(folderOf(outputOptions))!.written++
    },

    async close() {
      // Without outputs there is nothing to sign, and perhaps no key: the build's own error is the one to see.
      for (const folder of folders.values())
        if (folder.emitted.length > 0) {
          const { release, secrets } = await read()
          await sealOrUnseal(folder, release, secrets)
        }
      folders.clear()
      const done = reports
      reports = []
      return done
    },
  }
}

async function readKeys(options: ResolvedOptions, { root, base }: Place) {
  const release = await readRelease(options, root, base)
  return { release, secrets: await findSecrets(options.key, root) }
}

async function sealOrUnseal(
  folder: OutputFolder,
  release: Release,
  secrets: string[],
): Promise<void> {
  try {
    // A build that failed while it wrote has its own error, but must not leave signatures.
    if (folder.written < folder.emitted.length)
      return await unsealFolder(folder, release.manifestName)
    await sealFolder(folder, release, secrets)
  } catch (error) {
    await unsealFolder(folder, release.manifestName)
    throw error
  }
}

async function readBundle(
  bundle: Bundle,
  { format }: OutputOptions,
  secrets: string[],
): Promise<Output> {
  const output: Output = new Map()
  for (const { fileName: path, type, code, source = '', isEntry = false } of Object.values(
    bundle,
  )) {
    refuseSecrets(path, code ?? source, secrets)
    const isModule =
      code !== undefined && type === 'chunk' && isEs(format) && !(await isSystemModule(code))
    output.set(path, { path, source: code ?? source, isModule, isEntry })
  }
  return output
}

const isEs = (format = 'es'): boolean => /^(es|esm|module)$/.test(format)

async function addPublicFiles(
  output: Output,
  publicDir: string | undefined,
  { hash }: Release,
  secrets: string[],
): Promise<void> {
  if (!publicDir) return
  const folder = await walkIfThere(publicDir)
  refuseStrays(folder)
  const { files } = folder
  const digests = await hashFiles(publicDir, [...files.keys()], hash)
  for (const [path, digest] of digests) {
    if (output.has(path)) continue
    const content = await readFile(join(publicDir, path))
    refuseSecrets(path, content, secrets)
    const fixed = isPage(path) ? { fixed: content.toString() } : {}
    output.set(path, { path, digest, isModule: false, isEntry: false, ...fixed })
  }
}

function write(
  context: HookContext,
  bundle: Bundle,
  path: string,
  source: string | Uint8Array,
): void {
  const file = bundle[path]
  if (!file) context.emitFile({ type: 'asset', fileName: path, source })
  else if (file.type === 'chunk') file.code = source as string
  else file.source = source
}
