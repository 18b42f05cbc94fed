/** The program's own file, as the command line names it. */
import { refusal } from '../manifest/refusal.js'
import { workerThreads } from './builtins.js'
import { node } from './captured.js'
import { placeOf, type Judge } from './judge.js'
import { realPath } from './real-path.js'
import { findNamed } from './resolve.js'

/**
 * Refuses an entry that a link within a root stands in for: runtimes follow links before they ask the hooks.
 * @throws SignedImpError `ERR_SIGNEDIMP_UNLISTED`
 */
export function refuseMovedEntry(judge: Judge): void {
  const entry = process.argv[1]
  if (!workerThreads.isMainThread || entry === undefined) return
  const file = node.resolve(entry)
  const named = findNamed(judge, { specifier: file, parent: undefined, isPath: true })
  const wanted = named ? named.root.folder + named.path : undefined
  const real = realPath(wanted ?? file)
  const isMoved = wanted === undefined ? placeOf(judge, real) !== undefined : real !== wanted
  if (isMoved) throw refusal('UNLISTED', 'a link stands where the program must be', entry)
}
