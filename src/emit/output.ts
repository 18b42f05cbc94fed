/** What a bundler made, in words that no bundler owns. */
import { decodeText, fromUtf8 } from '../crypto/bytes.js'
import { SignedImpError } from '../errors.js'

/** A file of the output. */
export interface OutputFile {
  /** Path below the output folder, `/` between segments. */
  path: string
  /** The bytes that go to disk. Absent where only the hash is known. */
  source?: string | Uint8Array
  /** How many bytes these are, once they have been hashed. */
  size?: number
  /** Hash of the bytes, in hex, where it is known without them. */
  digest?: string
  /** Bytes of a page or document that is copied as it is, so that it cannot be rewritten. */
  fixed?: Uint8Array
  /** An ES module that the bundler linked, and so one that an import map can check. */
  isModule: boolean
  /** What the bundler made of a chunk that is no ES module, such as `cjs`. */
  format?: string
  /** What the bundler says that a chunk which is no ES module loads: paths of the output, and what is outside of it. */
  loads?: readonly string[]
  /** Loaded from outside the graph: by a page or by other code. */
  isEntry: boolean
  /** Of what the bundler made for a worker: whether that starts by it. */
  isWorker?: boolean
  /** Whether the file's name is known to change whenever its bytes do. */
  isContentNamed?: boolean
  /** Of an entry: its source, from the project's folder, as backends name it. */
  from?: string
  /** Of an entry: stylesheets of the output that it and what it imports statically ask for. */
  styles?: string[]
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

/**
 * Text of a file's bytes.
 * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` on what is no text in UTF-8
 */
export function textOf({ path, source = '' }: Pick<OutputFile, 'path' | 'source'>): string {
  const text = decode(source)
  if (text !== undefined) return text
  throw new SignedImpError(
    'ERR_SIGNEDIMP_OUTPUT',
    'is not in UTF-8, so that its text is unclear; save it as UTF-8',
    { path },
  )
}

/** Text of a module, which bundlers write in UTF-8. */
export const codeOf = ({ source = '' }: Pick<OutputFile, 'source'>): string =>
  typeof source === 'string' ? source : decodeText(source)

/** Text of UTF-8, or undefined for other bytes: UTF-16 shows by its zeros, even where it has no mark. */
export function decode(source: string | Uint8Array): string | undefined {
  if (typeof source === 'string') return source
  try {
    return source.includes(0) ? undefined : fromUtf8(source)
  } catch {
    return undefined
  }
}

/** Whether a path names a page. */
export const isPage = (path: string): boolean => /\.html?$/i.test(path)

/** Whether a path names code that runs when something loads it. */
export const isCode = (path: string): boolean => /\.([mc]?[jt]sx?|es\d?|wasm)$/i.test(path)

/** Whether a path names a document in which scripts run, but that is not rewritten as a page is. */
export const isDocument = (path: string): boolean =>
  /\.(xht(ml)?|shtml|svg|xml|phtml|php\d?|aspx?|jsp|cshtml)$/i.test(path)
