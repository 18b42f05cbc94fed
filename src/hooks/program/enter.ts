/** What the file of a program's entry does: it checks the manifest and installs the hooks, and then its main chunk runs. */
import { writeSync } from 'node:fs'
import { parse } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { refusal } from '../../manifest/refusal.js'
import { workerThreads } from '../builtins.js'
import { node } from '../captured.js'
import type { RootOptions } from '../root.js'
import { start } from '../start.js'

const { path, main, keys, threshold, name, build, manifest, unverified } = __SIGNEDIMP_PROGRAM__
const nodeModules = unverified.length > 0 ? 'unverified' : 'refused'

/** Where a thread keeps which output it runs. Who can write there before us runs already. */
const running = Symbol.for('signedimp.program')
/** Where the first thing that a child runs leaves what its parent's roots are. */
const told = Symbol.for('signedimp.child')

type Global = { [running]?: string; [told]?: readonly RootOptions[] | undefined }

/**
 * Has the runtime load nothing unchecked from now on. Entries of one output may be several in a thread.
 * @param own the file of the entry
 * @param isMain whether the process was started with the entry, and nothing else has imported it
 * @returns the file of the main chunk; undefined in a child that is yet to load what it was started with
 * @throws SignedImpError
 */
export function enter(own: string, isMain: boolean): string | undefined {
  const file = node.realpathSync(own)
  const children = takeTold()
  const base = baseOf(file)
  const runs = JSON.stringify([base, name, build, keys])
  const { [running]: other } = globalThis as Global
  if (other === undefined) {
    const roots = children ?? [{ base, name, keys, threshold, build, manifest }]
    // What came before whoever imports us is their own.
    const allow = isMain || children ? [file] : [parse(file).root]
    start({ roots, nodeModules, allow, preload: (opened) => preloadOf(file, opened) })
    Object.defineProperty(globalThis, running, { value: runs })
  } else if (other !== runs)
    throw refusal('NOT_ENFORCEABLE', 'another signed program runs in this thread', file)
  return children ? undefined : base + toSystem(main)
}

function takeTold(): readonly RootOptions[] | undefined {
  const { [told]: roots } = globalThis as Global
  delete (globalThis as Global)[told]
  return roots
}

/** The folder of the output, by the place that the entry's file has in it. */
function baseOf(file: string): string {
  const wanted = toSystem(path)
  if (file.endsWith(node.sep + wanted)) return file.slice(0, -wanted.length)
  throw refusal('NOT_ENFORCEABLE', `another place: it was built as ${path}`, file)
}

const toSystem = (name: string): string => name.replaceAll('/', node.sep)

/**
 * What worker threads and forked children load first, as a text in a URL: this file once more, with the same release. It
 * has a query there, for it may be what the child is started with, too.
 */
function preloadOf(file: string, roots: readonly RootOptions[]): string {
  const { href } = pathToFileURL(file)
  const given = JSON.stringify(roots.map(({ stored: _, ...root }) => root))
  const text = `globalThis[Symbol.for("signedimp.child")]=${given};await import(${JSON.stringify(`${href}?child`)})`
  return `data:text/javascript;base64,${Buffer.from(text).toString('base64')}`
}

/**
 * What to throw where the program cannot start. Of a refusal, whoever started the program reads one line and nothing else: a
 * stack leads into no code of theirs.
 */
export function ended(error: unknown, isMain: boolean): unknown {
  const refused = findRefusal(error)
  if (!isMain || !workerThreads.isMainThread || refused === undefined) return error
  writeSync(2, `signedimp: ${refused}\n`)
  process.exit(1)
}

/** The message of a refusal in one line. Deno hands on an error of its own, which has that of ours in it. */
const findRefusal = (error: unknown): string | undefined =>
  /ERR_SIGNEDIMP_[A-Z_]+ .*/.exec(String((error as Error | null)?.message))?.[0]
