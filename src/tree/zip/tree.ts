import { closeSync, fstatSync, openSync, realpathSync, statSync } from 'node:fs'
import { SignedImpError } from '../../errors.js'
import { comparePaths } from '../../manifest/path.js'
import type { Listed, Tree } from '../tree.js'
import { stamp } from '../walk.js'
import { replaceAtomically } from '../write.js'
import { zipContents } from './contents.js'
import { findDirectory } from './end.js'
import { readEntries } from './entry.js'
import { readAt, refuseZip, type ZipFile } from './file.js'
import { placeEntries, type PlacedEntry } from './layout.js'
import { writeZip } from './rewrite.js'

/** Largest list of entries that is read: some half a million files. */
const maxDirectory = 64 * 2 ** 20

/** A zip file, to look at and to put manifests into. */
export function zipTree(file: string): Tree {
  /** Of what was looked at last. */
  let seen = ''
  return {
    path: file,
    whileStill: (work) =>
      withOpen(file, async (zip) => {
        seen = zip.stamp
        const [outcome] = await Promise.allSettled([(async () => work(list(zip, readZip(zip))))()])
        // First, because it explains why the work failed.
        refuseChange(zip)
        if (outcome.status === 'rejected') throw outcome.reason
        return outcome.value
      }),
    write: (files, removed) =>
      withOpen(file, async (zip) => {
        if (zip.stamp !== seen) throw changed(file)
        const gone = new Set([...removed, ...files.keys()])
        const kept = readZip(zip).filter(({ path }) => !gone.has(path))
        // The file itself, where this is a link to it.
        await replaceAtomically(realpathSync(file), async (handle) => {
          await handle.chmod(zip.mode)
          await writeZip(handle, zip, kept, files)
          refuseChange(zip)
        })
      }),
  }
}

interface OpenZip extends ZipFile {
  /** Changes when the file is written, replaced or moved. */
  stamp: string
  mode: number
}

async function withOpen<T>(file: string, work: (zip: OpenZip) => Promise<T>): Promise<T> {
  // Before it is opened, as a pipe would keep who opens it waiting.
  if (!statSync(file).isFile()) throw refuseZip(file, 'is no regular file')
  const descriptor = openSync(file, 'r')
  try {
    const stats = fstatSync(descriptor, { bigint: true })
    const mode = Number(stats.mode) & 0o777
    return await work({ file, descriptor, size: Number(stats.size), stamp: stamp(stats), mode })
  } finally {
    closeSync(descriptor)
  }
}

function readZip(zip: ZipFile): PlacedEntry[] {
  const { start, size, count } = findDirectory(zip)
  if (size > maxDirectory)
    throw refuseZip(zip.file, `has a list of entries of more than ${maxDirectory} bytes`)
  return placeEntries(zip, readEntries(readAt(zip, start, size), count, zip.file), start)
}

/** What is in it, in a manifest's order. That nothing changes meanwhile is seen of the whole. */
function list(zip: ZipFile, entries: readonly PlacedEntry[]): Listed {
  const files = entries
    .filter(({ isFolder }) => !isFolder)
    .sort((a, b) => comparePaths(a.path, b.path))
  return {
    folder: { files: new Map(files.map(({ path }) => [path, ''])), refused: new Map() },
    contents: zipContents(zip, new Map(files.map((entry) => [entry.path, entry]))),
  }
}

function refuseChange({ file, descriptor, stamp: before }: OpenZip): void {
  const now = [fstatSync(descriptor, { bigint: true }), statSync(file, { bigint: true })]
  if (now.some((stats) => stamp(stats) !== before)) throw changed(file)
}

const changed = (path: string): SignedImpError =>
  new SignedImpError(
    'ERR_SIGNEDIMP_LATE_WRITE',
    'changed while it was read; wait until nothing writes to it any more',
    { path },
  )
