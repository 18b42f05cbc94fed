/**
 * The parts of Rollup's, Rolldown's and Vite's interfaces that the plugin uses: no bundler stands in our declarations.
 * They must fit those of all versions, under `exactOptionalPropertyTypes` too.
 */

/** An emitted file, in `generateBundle`. */
export interface BundleFile {
  type: string
  fileName: string
  code?: string
  source?: string | Uint8Array
  isEntry?: boolean
  /** Of a chunk: the module that it stands for, if it stands for one. */
  facadeModuleId?: string | null
  /** Of a chunk: what it loads, by path, or by name where that is outside of the output. */
  imports?: readonly string[]
  dynamicImports?: readonly string[]
  /** Of a chunk of Vite: what it says of it. */
  viteMetadata?: { importedCss: Set<string> }
  /** Of a chunk: its name before hashes were put in the place of what stands for them. */
  preliminaryFileName?: string
  /** Of an asset: what it was to be called. */
  names?: readonly string[]
}

/** A chunk whose name is being made. */
export interface RenderedChunk {
  isEntry: boolean
  /** The module that the chunk stands for, if it stands for one. */
  facadeModuleId?: string | null
}

/** The emitted files by name. */
export type Bundle = Record<string, BundleFile>

/** Options of one output. */
export interface OutputOptions {
  format?: string | undefined
  dir?: string | undefined
  file?: string | undefined
  /** A pattern, or a function. */
  assetFileNames?: unknown
}

/** The context of a build hook. */
export interface HookContext {
  emitFile(file: { type: 'asset'; fileName: string; source: string | Uint8Array }): string
  warn(message: string): void
  info?(message: string): void
  parse?(code: string): unknown
  getModuleIds?(): IterableIterator<string>
  meta?: { rolldownVersion?: string; watchMode?: boolean }
  /** Since Vite 6. */
  environment?: { config: ViteConfig & { consumer: string } }
}

/** Vite's resolved configuration. */
export interface ViteConfig {
  root: string
  base: string
  command: 'build' | 'serve'
  publicDir: string
  plugins: readonly { name: string }[]
  build: {
    outDir: string
    ssr: unknown
    copyPublicDir: boolean
    write: boolean
    manifest?: boolean | string
  }
  logger: { info(message: string): void; warn(message: string): void }
}

/** Vite's servers, as far as requests go. */
export interface ViteServer {
  config: { root: string }
  middlewares: { use(handler: Middleware): unknown }
}

/** A Connect middleware. */
export type Middleware = (
  request: { url?: string | undefined; originalUrl?: string | undefined },
  response: { statusCode: number; end(body: string): unknown },
  next: () => void,
) => void

type ModulePreloadDependencies = (
  file: string,
  dependencies: string[],
  context: { hostId: string; hostType: 'html' | 'js' },
) => string[]

/** Vite's `build.modulePreload`, where it is neither on nor off. */
export interface ModulePreload {
  polyfill?: boolean
  resolveDependencies?: ModulePreloadDependencies
}

/** A plugin for the builds of workers. */
export interface WorkerPlugin {
  name: string
  enforce: 'post'
  augmentChunkHash(): string
  generateBundle: { order: 'post'; handler(options: OutputOptions, bundle: Bundle): void }
}

/** Vite's configuration as a user gives it. */
export interface ViteUserConfig {
  build?: { modulePreload?: boolean | ModulePreload | undefined } | undefined
}

/** What the plugin adds to it. */
export interface ViteAddition {
  build?: { modulePreload: ModulePreload }
  /** Vite adds these to the user's own. */
  worker: { plugins(): WorkerPlugin[] }
}

/** A hook that runs after those of all other plugins. */
interface Last<Handler> {
  order: 'post'
  sequential: true
  handler: Handler
}

/** The plugin: one object for Vite, Rollup and Rolldown. */
export interface Plugin {
  name: 'signedimp'
  enforce: 'post'
  config(this: unknown, config: ViteUserConfig): ViteAddition | undefined
  configResolved(config: unknown): void
  configureServer(server: ViteServer): void
  applyToEnvironment(environment: { config: { consumer: string } }): boolean
  load: { order: 'pre'; filter: { id: RegExp }; handler(this: HookContext, id: string): void }
  augmentChunkHash(this: HookContext, chunk: RenderedChunk): string | undefined
  buildStart(this: HookContext): Promise<void>
  buildEnd(this: HookContext, error?: unknown): Promise<void> | undefined
  renderStart: Last<(this: HookContext, options: OutputOptions) => Promise<void>>
  generateBundle: Last<
    (this: HookContext, options: OutputOptions, bundle: Bundle, isWrite?: boolean) => Promise<void>
  >
  writeBundle: Last<(this: HookContext, options: OutputOptions) => void>
  closeBundle: Last<(this: HookContext) => Promise<void>>
}
