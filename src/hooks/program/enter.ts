/** What the file of a program's entry does: it checks the manifest and installs the hooks, and then its main chunk runs. */
import { writeSync } from 'node:fs'
import process from 'node:process'
import { isMainThread } from 'node:worker_threads'
import { refusal } from '../../manifest/refusal.js'
import { node } from '../captured.js'
import { start } from '../start.js'

const { path, main, keys, threshold, name, build, manifest, unverified } = __SIGNEDIMP_PROGRAM__

/**
 * Has the runtime load nothing unchecked from now on.
 * @param own the file of the entry
 * @returns the file of the main chunk
 * @throws SignedImpError
 */
export function enter(own: string): string {
  const base = baseOf(node.realpathSync(own))
  const nodeModules = unverified.length > 0 ? 'unverified' : 'refused'
  start({ roots: [{ base, name, keys, threshold, build, manifest }], nodeModules })
  return base + toSystem(main)
}

/** The folder of the output, by the place that the entry's file has in it. */
function baseOf(own: string): string {
  const wanted = toSystem(path)
  if (own.endsWith(node.sep + wanted)) return own.slice(0, -wanted.length)
  throw refusal('NOT_ENFORCEABLE', `another place: it was built as ${path}`, own)
}

const toSystem = (name: string): string => name.replaceAll('/', node.sep)

/**
 * What to throw where the program cannot start. Of a refusal, whoever started the program reads one line and nothing else: a
 * stack leads into no code of theirs.
 * @param isMain whether the process was started with the entry, and nothing else has imported it
 */
export function ended(error: unknown, isMain: boolean): unknown {
  const refused = findRefusal(error)
  if (!isMain || !isMainThread || refused === undefined) return error
  writeSync(2, `${refused}\n`)
  process.exit(1)
}

/** The message of a refusal in one line. Deno hands on an error of its own, which has that of ours in it. */
const findRefusal = (error: unknown): string | undefined =>
  /ERR_SIGNEDIMP_[A-Z_]+ .*/.exec(String((error as Error | null)?.message))?.[0]
