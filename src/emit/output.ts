/** What a bundler made, in words that no bundler owns. */

/** A file of the output. */
export interface OutputFile {
  /** Path below the output folder, `/` between segments. */
  path: string
  /** The bytes that go to disk. Absent where only the hash is known. */
  source?: string | Uint8Array
  /** Hash of the bytes, in hex, where it is known without them. */
  digest?: string
  /** Text of a page that is copied as it is, so that it cannot be rewritten. */
  fixed?: string
  /** An ES module that the bundler linked, and so one that an import map can check. */
  isModule: boolean
  /** What the bundler made of a chunk that is no ES module, such as `cjs`. */
  format?: string
  /** Loaded from outside the graph: by a page or by other code. */
  isEntry: boolean
  /** Whether the file's name is known to change whenever its bytes do. */
  isContentNamed?: boolean
  /** Of an entry: the path of its file if that becomes a bootstrap, where it cannot be the same. */
  bootstrapPath?: string
}

/** Something in the output that is not enforced, by the name under which `unverified` may accept it. */
export interface Uncovered {
  /** A path or a URL. */
  name: string
  /** What it is and why it is not checked. */
  reason: string
}

/** The files of an output by path. */
export type Output = Map<string, OutputFile>

/** Text of a file's bytes. */
export const textOf = ({ source = '' }: OutputFile): string =>
  typeof source === 'string' ? source : new TextDecoder('utf-8', { ignoreBOM: true }).decode(source)

/** Whether a path names a page. */
export const isPage = (path: string): boolean => /\.html?$/i.test(path)

/** Whether a path names code that runs when something loads it. */
export const isCode = (path: string): boolean => /\.([mc]?[jt]sx?|es\d?|wasm)$/i.test(path)

/** Whether a path names a document in which scripts run, but that is not rewritten as a page is. */
export const isDocument = (path: string): boolean =>
  /\.(xht(ml)?|shtml|svg|xml|phtml|php\d?|aspx?|jsp|cshtml)$/i.test(path)
