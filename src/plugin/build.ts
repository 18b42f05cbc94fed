import { readFile } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { digestRelease } from '../emit/bootstrap.js'
import type { Release } from '../emit/release.js'
import { isCode, isDocument, isPage, type Output } from '../emit/output.js'
import type { Report } from '../emit/report.js'
import { digestProgram } from '../emit/program-bootstrap.js'
import { isSystemModule, programVersion, rewriteVersion } from '../emit/rewrite.js'
import { folderContents } from '../tree/contents.js'
import { hashFiles } from '../tree/hash.js'
import { emittedPath } from '../tree/system-path.js'
import { refuseStrays, walkIfThere } from '../tree/walk.js'
import { describeEntry } from './entry.js'
import { closeFolder, isWritten, openFolder, type OutputFolder } from './folder.js'
import { isContentNamed } from './content-named.js'
import { keyFileOf, refuseKeyIn, refuseSecrets } from './guard.js'
import type { ResolvedOptions } from './options.js'
import { readKeys, remember, type Place } from './release.js'
import { signOutput } from './sign.js'
import { findInlined, type WorkerChunk } from './vite-workers.js'
import type { Bundle, BundleFile, HookContext, OutputOptions, RenderedChunk } from './types.js'

/** A build from its first output to its end. */
export interface Build {
  /** Begins a build. Rolldown begins one for each output, which are one build unless it watches. */
  begin(meta: HookContext['meta']): Promise<void>
  /** Notes that this build's modules are there and its files come next; an earlier build is closed before, or by it. */
  render(): Promise<void>
  /** What a chunk's name depends on, beside its code. */
  salt(context: HookContext, chunk: RenderedChunk): string
  /** Looks at an output's folder before anything is written there. */
  open(options: OutputOptions): Promise<void>
  /**
   * Signs one output in memory.
   * @returns its report, where nothing will be written and so nothing closed
   */
  emit(
    context: HookContext,
    options: OutputOptions,
    bundle: Bundle,
    isWrite: boolean,
  ): Promise<Report | undefined>
  /** Notes that one output is on disk. */
  written(options: OutputOptions): void
  /**
   * Compares the folders with what was emitted and writes their manifests, or takes back every signature. A watcher
   * may be writing the next build already: then that one's end is waited for, and nothing signed.
   * @returns a report for each output that is signed
   */
  close(meta: HookContext['meta']): Promise<Report[]>
}

/** Starts builds of one configuration. The key is read when the first output is generated, and kept for the next ones. */
export function createBuild(
  options: ResolvedOptions,
  findPlace: () => Place,
  workers: ReadonlyMap<string, WorkerChunk>,
): Build {
  const folders = new Map<string, OutputFolder>()
  let number = 0
  let begun = 0
  let isRendering = false
  let closing: Promise<unknown> = Promise.resolve()
  let released = ''
  let hasPages: boolean | undefined
  const read = remember(async () => {
    const keys = await readKeys(options, findPlace())
    released = (keys.release.program ? digestProgram : digestRelease)(keys.release)
    return keys
  })

  const folderOf = ({ dir, file }: OutputOptions) =>
    resolve(findPlace().root, dir ?? dirname(file ?? '.'))

  return {
    async begin(meta) {
      begun++
      await closing
      isRendering = false
      if (meta?.watchMode || !meta?.rolldownVersion) number++
    },

    async render() {
      await closing
      isRendering = true
      hasPages = undefined
    },

    salt(context, { isEntry, facadeModuleId }) {
      // Chunks of programs stay as they are, but for the names of entries, which are of their own text.
      if (findPlace().isProgram) return isEntry ? programVersion + released : ''
      hasPages ??=
        typeof options.html === 'string' || [...(context.getModuleIds?.() ?? [])].some(isPage)
      const isModuleEntry = options.html !== 'backend' && isEntry && !isPage(facadeModuleId ?? '')
      const version = rewriteVersion({ hasPages, tags: options.tags, base: findPlace().base })
      return version + (isModuleEntry ? released : '')
    },

    async open(outputOptions) {
      const dir = folderOf(outputOptions)
      const { root, publicDir } = findPlace()
      const file = keyFileOf(options.key, root)
      for (const folder of [dir, publicDir]) if (file && folder) refuseKeyIn(folder, file)
      const { release } = await read()
      const known = folders.get(dir)
      if (known?.build !== number) folders.set(dir, await openFolder(dir, release, number, known))
    },

    async emit(context, outputOptions, bundle, isWrite) {
      const started = performance.now()
      const { release, secrets } = await read()
      const { root, publicDir } = findPlace()
      const output = await readBundle(bundle, outputOptions, { root, secrets, workers })
      await addPublicFiles(output, publicDir, release, secrets)
      const parse = context.parse?.bind(context)
      const inlined = findInlined(workers, output)
      const { emitted, report } = await signOutput(output, release, {
        options,
        started,
        parse,
        inlined,
      })
      for (const warning of emitted.warnings) context.warn(warning)
      for (const [path, source] of emitted.changed) write(context, bundle, path, source)
      if (!isWrite) return report
      const folder = folders.get(folderOf(outputOptions))!
      folder.emitted.push(emitted)
      folder.reports.push(report)
    },

    written(outputOptions) {
      folders.get(folderOf(outputOptions))!.written++
    },

    close(meta) {
      const before = begun
      const reports = closing.then(() => (meta?.watchMode ? closeWatched(before) : close()))
      const end = () => meta?.watchMode || folders.clear()
      closing = reports.then(end, end)
      return reports
    },
  }

  /** A watcher calls this while it starts the next build already, and dies of an error in it. @param before how many had begun */
  async function closeWatched(before: number): Promise<Report[]> {
    try {
      return isUnderWay() ? [] : await close()
    } catch (error) {
      // Vite empties the folder of a build a little before it begins it: what failed then is that one's to do.
      if (await hasNextBegun(before)) return []
      throw error
    }
  }

  async function hasNextBegun(before: number): Promise<boolean> {
    const deadline = Date.now() + patience
    while (begun === before && Date.now() < deadline) await sleep(20)
    return begun !== before
  }

  function isUnderWay(): boolean {
    const opened = [...folders.values()].filter((folder) => folder.build === number)
    return isRendering && (opened.length === 0 || !opened.every(isWritten))
  }

  async function close(): Promise<Report[]> {
    const reports: Report[] = []
    // Without outputs there is nothing to sign, and perhaps no key: the build's own error is the one to see.
    for (const folder of [...folders.values()].filter(({ emitted }) => emitted.length > 0)) {
      const { release, secrets } = await read()
      if (await closeFolder(folder, release, secrets)) reports.push(...folder.reports.splice(0))
    }
    return reports
  }
}

/** Milliseconds, in which a watcher begins the build that it has announced, on a busy machine too. */
const patience = 5000

async function readBundle(
  bundle: Bundle,
  options: OutputOptions,
  {
    root,
    secrets,
    workers,
  }: { root: string; secrets: string[]; workers: ReadonlyMap<string, WorkerChunk> },
): Promise<Output> {
  const output: Output = new Map()
  const { format } = options
  for (const file of Object.values(bundle)) {
    const { fileName, type, code, source = '', isEntry = false } = file
    const path = emittedPath(fileName)
    refuseSecrets(path, code ?? source, secrets)
    const isChunk = code !== undefined && type === 'chunk'
    const isSystem = isChunk && isEs(format) && (await isSystemModule(path, code))
    const worker = isChunk ? undefined : workers.get(fileName)
    const isModule = (isChunk && isEs(format) && !isSystem) || worker !== undefined
    const other = isChunk && !isModule ? formatOf(file, isSystem ? 'system' : format!) : {}
    const named = { isContentNamed: worker?.isContentNamed ?? isContentNamed(file, options) }
    const own = worker ? { isWorker: worker.isEntry } : {}
    const told = isModule && isEntry ? describeEntry(file, bundle, root) : {}
    output.set(path, {
      path,
      source: code ?? source,
      isModule,
      isEntry,
      ...named,
      ...own,
      ...other,
      ...told,
    })
  }
  return output
}

/** What is told of a chunk that is no ES module. */
const formatOf = ({ imports = [], dynamicImports = [] }: BundleFile, format: string) => ({
  format: format === 'commonjs' ? 'cjs' : format,
  loads: [...imports, ...dynamicImports],
})

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
  const digests = await hashFiles(folderContents(publicDir), [...files.keys()], hash)
  for (const [path, digest] of digests) {
    if (output.has(path)) continue
    const content = await readFile(join(publicDir, path))
    refuseSecrets(path, content, secrets)
    const fixed = isPage(path) || isDocument(path) ? { fixed: content } : {}
    const code = isCode(path) ? { source: content } : {}
    output.set(path, { path, digest, isModule: false, isEntry: false, ...fixed, ...code })
  }
}

function write(
  context: HookContext,
  bundle: Bundle,
  path: string,
  source: string | Uint8Array | undefined,
): void {
  const key = bundle[path] ? path : path.replaceAll('/', sep)
  const file = bundle[key]
  if (source === undefined) delete bundle[key]
  else if (!file) context.emitFile({ type: 'asset', fileName: path, source })
  else if (file.type === 'chunk') file.code = source as string
  else file.source = source
}
