/**
 * The parts of esbuild's interface that the plugin uses: no bundler stands in our declarations. They must fit those of
 * all supported versions, under `exactOptionalPropertyTypes` too.
 */

/** Where in a text a message points. Lines count from 1, columns in bytes from 0. */
export interface Location {
  file: string
  line: number
  column: number
  length: number
  lineText: string
}

/** A message of the plugin, which esbuild prints as it prints its own. */
export interface Message {
  /** The code of an error of ours, for programs. */
  id?: string
  text: string
  location?: Location | null
  /** What to do, where the text itself speaks of no bundler. */
  notes?: { text: string }[]
  /** The error itself. */
  detail?: unknown
}

/** What a hook answers. */
export interface Told {
  errors?: Message[]
  warnings?: Message[]
}

/** An emitted file, in memory. */
export interface OutputFile {
  path: string
  contents: Uint8Array
  hash: string
  readonly text: string
}

/** An import, of a file by its name or of whatever is external by its specifier. */
export interface MetafileImport {
  path: string
  kind: string
  external?: boolean
  /** As a source spells it. */
  original?: string
}

/** What esbuild tells of an emitted file. */
export interface MetafileOutput {
  bytes: number
  inputs: Record<string, { bytesInOutput: number }>
  imports: MetafileImport[]
  exports: string[]
  entryPoint?: string
  cssBundle?: string
}

/** What esbuild tells of a build; files are named from the working directory. */
export interface Metafile {
  inputs: Record<string, { imports: MetafileImport[] }>
  outputs: Record<string, MetafileOutput>
}

/** What became of a build. The plugin changes it. */
export interface BuildResult {
  errors: unknown[]
  warnings: unknown[]
  metafile?: Metafile | undefined
  outputFiles?: OutputFile[] | undefined
}

/** Options of a build, as far as the plugin reads or sets them. */
export interface BuildOptions {
  absWorkingDir?: string
  assetNames?: string
  bundle?: boolean
  chunkNames?: string
  entryNames?: string
  entryPoints?: (string | { in: string; out: string })[] | Record<string, string>
  footer?: Record<string, string> | undefined
  format?: string
  logLevel?: string
  metafile?: boolean | undefined
  outExtension?: Record<string, string>
  outdir?: string
  outfile?: string
  platform?: string
  plugins?: { name: string }[]
  publicPath?: string
  splitting?: boolean
  stdin?: { sourcefile?: string; resolveDir?: string }
  write?: boolean | undefined
}

/** What a module is asked for by. */
export interface ResolveArgs {
  path: string
  importer: string
  namespace: string
  resolveDir: string
  kind: string
  pluginData: unknown
}

/** What `build.resolve` answers. */
export interface Resolved {
  errors: unknown[]
  warnings: unknown[]
  path: string
  external: boolean
  sideEffects: boolean
  namespace: string
  suffix: string
  pluginData: unknown
}

/** What a plugin sees of a build. */
export interface PluginBuild {
  initialOptions: BuildOptions
  esbuild: { formatMessages(messages: Message[], options: { kind: 'warning' }): Promise<string[]> }
  resolve(path: string, options?: object): Promise<Resolved>
  onStart(callback: () => Promise<Told>): void
  onEnd(callback: (result: any) => Promise<Told>): void
  onResolve(options: { filter: RegExp }, callback: (args: ResolveArgs) => any): void
  onLoad(options: { filter: RegExp }, callback: (args: { path: string }) => any): void
  onDispose(callback: () => void): void
}

/** The plugin. */
export interface EsbuildPlugin {
  name: 'signedimp'
  setup(build: any): Promise<void>
}
