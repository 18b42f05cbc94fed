import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SignedImpError } from '../errors.js'
import { FilesRefusedError, type FileProblem } from '../tree/refused.js'
import { refuseStrays, whileStill, type Folder } from '../tree/walk.js'
import { writeFileAtomically } from '../tree/write.js'
import {
  verifyPythonManifest,
  writePythonManifest,
  type PythonHash,
  type PythonKey,
} from './manifest.js'

/** What was signed, or found to be signed, for Python's verifier. */
export interface PythonReport {
  /** File name of the manifest in the folder. */
  manifest: string
  hash: PythonHash
  /** How many files the manifest lists. */
  files: number
  /** Fingerprints as Python's signedimp makes them. */
  signers: string[]
}

/**
 * Lists every file of a folder with its SHA-1, signs the list for Python's verifier and writes it there.
 * @throws SignedImpError `ERR_SIGNEDIMP_PATH`, `ERR_SIGNEDIMP_LATE_WRITE`
 */
export async function signForPython(
  dir: string,
  key: PythonKey,
  manifest: string,
): Promise<PythonReport> {
  const files = await whileStill(dir, (folder) => {
    refuseStrays(folder)
    return hashAll(dir, listed(folder, manifest), 'sha1')
  })
  await writeFileAtomically(join(dir, manifest), writePythonManifest({ hash: 'sha1', files }, key))
  return { manifest, hash: 'sha1', files: files.size, signers: [key.fingerprint] }
}

/**
 * Checks that a folder holds exactly what was signed for Python's verifier, by one of the keys and with no wrong signature of another.
 * Python itself takes no notice of files that are not listed, until they are imported.
 * @throws FilesRefusedError with every file that is changed, missing or unlisted
 * @throws SignedImpError `…_MISSING` (no manifest), `…_LATE_WRITE`, `…_SIGNATURE`, `…_MANIFEST_INVALID`
 */
export function verifyForPython(
  dir: string,
  keys: readonly PythonKey[],
  manifest: string,
): Promise<PythonReport> {
  return whileStill(dir, async (folder) => {
    if (!folder.files.has(manifest)) {
      const reason = 'is not there, so that nothing in the folder is vouched for'
      throw new SignedImpError('ERR_SIGNEDIMP_MISSING', reason, { path: manifest })
    }
    const { hash, files, signers } = verifyPythonManifest(await readFile(join(dir, manifest)), keys)
    const found = await hashAll(dir, listed(folder, manifest), hash)
    const problems = [...problemsOf(files, found), ...strays(folder)]
    if (problems.length > 0) throw new FilesRefusedError(problems)
    return { manifest, hash, files: files.size, signers }
  })
}

const listed = ({ files }: Folder, manifest: string): string[] =>
  [...files.keys()].filter((path) => path !== manifest)

async function hashAll(
  dir: string,
  paths: string[],
  type: PythonHash,
): Promise<Map<string, string>> {
  const hashes = new Map<string, string>()
  for (const path of paths)
    hashes.set(
      path,
      createHash(type)
        .update(await readFile(join(dir, path)))
        .digest('hex'),
    )
  return hashes
}

function problemsOf(wanted: Map<string, string>, found: Map<string, string>): FileProblem[] {
  const changed = [...wanted]
    .filter(([path, digest]) => found.get(path) !== digest)
    .map(([path]): FileProblem => ({ path, problem: found.has(path) ? 'changed' : 'missing' }))
  const unlisted = [...found.keys()]
    .filter((path) => !wanted.has(path))
    .map((path): FileProblem => ({ path, problem: 'unlisted' }))
  return [...changed, ...unlisted]
}

const strays = ({ refused }: Folder): FileProblem[] =>
  [...refused].map(([path, reason]) => ({ path, problem: 'unlisted', reason }))
