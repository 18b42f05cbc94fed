/** Files of ours in an output. */
import { refuseSharedNames } from '../manifest/distinct.js'
import { SignedImpError } from '../errors.js'
import type { Bootstrap, OwnFile } from './bootstrap.js'
import type { Changes } from './changes.js'
import type { Release } from './release.js'
import type { Output } from './output.js'
import type { StartedEntry } from './start.js'

/** A refusal of a file of the app that has the name of one of ours. */
export const takenName = (path: string): SignedImpError =>
  new SignedImpError(
    'ERR_SIGNEDIMP_OUTPUT',
    'has a name that signedimp needs for a file of its own; rename it',
    { path },
  )

/** Which runtimes an output needs. */
export function ownFiles(
  { runtime, linked, late, blob, tags }: Bootstrap,
  { inline, tags: hasTags }: Release,
  hasPages: boolean,
  hasAliases: boolean,
): OwnFile[] {
  return [
    ...(hasPages ? [runtime] : []),
    ...(hasPages && inline === false ? [linked] : []),
    blob,
    ...(hasTags ? [tags] : []),
    ...(hasAliases ? [late] : []),
  ]
}

/** Adds the files of ours to the output, which must be nobody else's. @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` */
export function addOwnFiles(
  own: readonly OwnFile[],
  standIns: ReadonlyMap<string, string>,
  output: Output,
  changes: Changes,
): void {
  for (const { fileName, code } of own) addOwn(fileName, code, output, changes)
  for (const { fileName } of own) output.get(fileName)!.isContentNamed = true
  for (const [fileName, code] of standIns) addOwn(fileName, code, output, changes)
  refuseSharedNames(output.keys())
}

/** @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` where the app has a file of that name */
export function addOwn(path: string, code: string, output: Output, { change }: Changes): void {
  if (output.has(path)) throw takenName(path)
  change(path, code)
}

/**
 * Notes which files of ours have other names when they have other bytes. That of an entry names the list of what it may
 * load: it is one of them only if all of that is.
 */
export function nameByContent(
  output: Output,
  manifests: readonly string[],
  entries: readonly StartedEntry[],
): void {
  for (const path of manifests) output.get(path)!.isContentNamed = true
  for (const { path, reached } of entries)
    output.get(path)!.isContentNamed = [...(reached ?? [path])].every(
      (file) => output.get(file)!.isContentNamed,
    )
}
